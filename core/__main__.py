"""``python -m medvision_agent``: the command ``medvision-agent``, also where its script is not on the path."""

from medvision_agent.cli.main import main

if __name__ == "__main__":
    main()
