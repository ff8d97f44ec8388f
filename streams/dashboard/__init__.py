"""The live page: facts of the warehouse, pushed to browsers on this machine.

After the warehouse, beside the data path: it reads and never writes. `server` speaks HTTP, `watch`
reads again and again what someone looks at, `panels` says what that is, `page/` shows it.
"""
