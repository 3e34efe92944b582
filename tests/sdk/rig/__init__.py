"""What the tests around the gateway are made of: an upstream that records, a client that records, and things to plant.

Nothing here knows how the gateway is built; it is started as a process and spoken to over loopback.
"""
