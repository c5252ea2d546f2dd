// assert() without a declaration of __assert(), which MicroPython's port defines with newlib's old prototype.

#undef assert
#ifdef NDEBUG
#define assert(expr) ((void)0)
#else
#define assert(expr) _assert(expr)
#endif
