"""Nasdaq TotalView-ITCH 5.0, bare or in MoldUDP64: `decoder.Itch50`, `moldudp64.MoldUDP64`."""
