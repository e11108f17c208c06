pytest_plugins = ["emulator"]
