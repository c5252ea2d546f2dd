"""Nothing but, in the .mpy file, the names of all parts that an upgrade needs: tools/mip."""
