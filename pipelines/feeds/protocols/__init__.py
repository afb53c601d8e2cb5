"""One module a protocol: frames as a venue sends them to rows. Pure; `registry` names them all."""
