// A name of Espressif's SDK, whose folder comes first in the include path: here nothing may ask for it.
#error "upgrade.h is a header of the SDK; no header of molt may have this name"
