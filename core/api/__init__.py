"""What ``import medvision_agent`` offers to scripts and notebooks (docs/api.md); the command line is made of it too."""
