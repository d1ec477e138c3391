"""Between us and a provider: what its errors mean, how fast it may be asked, where requests really go."""
