"""Names of the package for firmwares without molt, so that they cost no memory there.

MicroPython keeps each name that its firmware has not in ROM in RAM, until the reset. So the names that only the package itself
uses are replaced, in its .mpy files, by names that every firmware has. Which means what does not matter to anybody but a reader
of tracebacks.
"""
import ast
import re

# In ROM of each firmware from MicroPython 1.20 on: qstrs of the core and of the esp8266 port.
ROM_NAMES = """
    ADC ALARM0 ARRAY ArithmeticError AssertionError AttributeError BFINT16 BFINT32 BFINT8 BFUINT16 BFUINT32 BFUINT8 BF_LEN
    BF_POS BIG_ENDIAN BaseException BytesIO CancelledError DEEPSLEEP DEEPSLEEP_RESET EOFError Ellipsis Exception FLOAT32
    FLOAT64 FileIO FrameBuffer FrameBuffer1 GS2_HMSB GS4_HMSB GS8 GeneratorExit HARD_RESET HSPI I2C IN INT INT16 INT32 INT64
    INT8 IOBase IRQ IRQ_FALLING IRQ_RISING ImportError IndentationError IndexError KeyError KeyboardInterrupt LITTLE_ENDIAN
    LONG LONGLONG LSB LookupError MONO_HLSB MONO_HMSB MONO_VLSB MSB MVLSB MemoryError NATIVE NameError NoneType
    NotImplementedError ONE_SHOT OPEN_DRAIN OSError OUT OrderedDict OverflowError PERIODIC POLLERR POLLHUP POLLIN POLLOUT PTR
    PULL_UP PWM PWRON_RESET Pin RGB565 RTC RuntimeError SHORT SLEEP_LIGHT SLEEP_MODEM SLEEP_NONE SOFT_RESET SPI Signal SoftI2C
    SoftSPI StopAsyncIteration StopIteration StringIO SyntaxError SystemExit Task TaskQueue TextIOWrapper Timer TypeError UART
    UINT UINT16 UINT32 UINT64 UINT8 ULONG ULONGLONG USHORT UnicodeError VOID ValueError VfsFat VfsLfs2 ViperTypeError WDT
    WDT_RESET ZeroDivisionError a2b_base64 abs acos add addi addr addressof addrsize alarm alarm_left align all
    alloc_emergency_exception_buf and_ any apa102_write append arg args argv array asin asm_xtensa atan atan2 b2a_base64 ball
    bany baudrate bbc bbs beq beqz bge bgeu bin bits bitstream blit blt bnall bne bnez bnone bool bound_method buffer
    buffering builtins bytearray bytearray_at bytecode byteorder bytes bytes_at calcsize callable callback callx0 cancel ceil
    chdir check_fw chr classmethod clear close closure collect compile copy copysign coro cos count crc8 cur_task data
    datetime decode deepsleep default degrees deinit delattr deleter deque dht_readinto dict dict_view difference
    difference_update digest dir disable disable_irq discard divmod doc done dump dumps dupterm dupterm_notify duty duty_ns
    duty_u16 ellipse enable enable_irq encode encoding end endswith enumerate errno errorcode esf_free_bufs esp eval exec exit
    exp extend fabs feed file fill fill_rect filter find firstbit flash_erase flash_id flash_read flash_size flash_user_start
    flash_write float floor flush fmod format framebuf free freemem freq frexp from_bytes fromhex fromkeys frozenset function
    gc generator get getattr getcwd getrandbits getter getvalue globals gmtime group handler hard hasattr hash heap_lock
    heap_unlock heapify heappop heappush help hex hexlify hline id idle ilistdir implementation index init input insert int
    intersection intersection_update invert io ipoll irq isalpha isdigit isdisjoint isenabled isfinite isinf isinstance
    islower isnan isspace issubclass issubset issuperset isupper items iter iterable iterator join jx kbd_intr key keys l16si
    l16ui l32i l8ui label ldexp len libc_ver lightsleep line list listdir little load loads locals localtime log lookahead
    lower lstrip machine main malloc map match math max maxsize mem mem16 mem32 mem8 mem_alloc mem_free mem_info memaddr
    meminfo memory memoryview micropython min miso mkdir mkfs mktime mode modf modify module modules mosi mount mov mov_n movi
    mtime mull name namedtuple native newline next nodename object oct off on onewire open opt_level or_ ord osdebug pack
    pack_into parity path peek pend_throw period ph_key phase pi pixel platform polarity poll poly pop popitem popleft pow
    print print_exception progsize property ptr ptr16 ptr32 ptr8 pull push python_compiler qstr_info radians random range rb
    read read_u16 readbit readbyte readfrom readfrom_into readfrom_mem readfrom_mem_into readinto readline readlines readonly
    readsize rect register release remove rename replace repr reset reset_cause ret_n reverse reversed rfind rindex rmdir
    round rsplit rstrip rx rxbuf s16i s32i s8i scan schedule sck scl scroll sda search seed seek select send sep separators
    set set_native_code_location setattr setdefault setter sha256 sin sizeof sleep sleep_ms sleep_type sleep_us slice
    soft_reset sort sorted split sqrt stack_use start startswith stat state staticmethod statvfs stderr stdin stdout step stop
    str strip struct sub sum super symmetric_difference symmetric_difference_update sync sys sysname tan tell text threshold
    throw tick_hz ticks_add ticks_cpu ticks_diff ticks_ms ticks_us time time_ns time_pulse_us timeout timeout_char to_bytes
    trigger trunc tuple tx txdone type uctypes uint umount uname unhexlify union unique_id unlink unpack unpack_from
    unregister update upper urandom usys value values version version_info viper vline wake write write_readinto writebit
    writebyte writeto writeto_mem writevto xor zip
""".split()


# What MicroPython itself calls of a block device, of a stream, of a filesystem. They are in ROM, too.
CALLED = {"readblocks", "writeblocks", "ioctl", "read", "readinto", "seek", "close", "stat", "open", "mount", "umount"}


# Characters of a string in a program that is kept as a name is. Source: MICROPY_ALLOC_PARSE_INTERN_STRING_LEN.
INTERNED_MAX = 10


# Of the port's flashbdev.py, which every firmware has frozen.
FLASHBDEV = {"FlashBdev", "SEC_SIZE", "bdev", "blocks", "start_sec"}


# Calls whose strings are names: of parts, of modules and functions, of sentences.
NAMED = {"part", "_load", "go", "_call", "_do", "error", "refused", "_refused", "bad", "_bad"}


def _stored(tree):
    """The names that a module makes: of functions, classes, arguments, attributes, and of its own."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _texts(tree):
    """Each string that is one to MicroPython: no documentation."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation]


def _data(tree):
    """Those that are more than a name."""
    names = {id(text) for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in NAMED
             for argument in node.args for text in _texts(argument)
             if len(text.value) <= INTERNED_MAX}
    return {node.value for node in _texts(tree) if id(node) not in names}


def _parameters(tree, functions):
    return {arg.arg for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in functions
            for arg in node.args.args + node.args.kwonlyargs}


def _in(tree):
    """All names in a module."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "module"):
            text = getattr(node, field, None)
            if isinstance(text, str):
                yield from text.split(".")


def made(sources, faces, sentences, parts, kept):
    """Name by name what to replace it by, for each file. sources: path and text of each Python file; faces: those of them that users
    call; sentences, parts: names of them; kept: functions that are called from elsewhere, which keep their names and their
    parameters'."""
    trees = {path: ast.parse(text) for path, text in sources.items()}
    # MicroPython keeps longer strings elsewhere, and gives them back.
    sentences = {name for name in sentences if len(name) <= INTERNED_MAX}
    data = {path: _data(tree) - (set() if path in faces else sentences) for path, tree in trees.items()}
    own = set().union(sentences, parts, *map(_stored, trees.values())) - kept
    # Where a word is a name and a text in one file it is neither there nor elsewhere replaced.
    own -= set().union(*(data[path] & set(_in(tree)) for path, tree in trees.items()))
    own -= set().union(*(_parameters(trees[path], kept) for path in faces))
    # A long text is no name in a .mpy file, and so is not replaced where it stands for one.
    own -= {node.value for tree in trees.values() for node in _texts(tree) if len(node.value) > INTERNED_MAX}
    texts = {node.value for tree in trees.values() for node in _texts(tree) if len(node.value) <= INTERNED_MAX}
    used = texts.union(*map(_in, trees.values()))
    # The longest do not fit in a line of parts.bin.
    free = [name for name in ROM_NAMES if name not in used and len(name) <= 18]
    wanted = sorted(name for name in own - set(ROM_NAMES) - CALLED if not name.startswith("__"))
    assert not own & FLASHBDEV, own & FLASHBDEV
    # Whoever gets none keeps its own, which costs memory and nothing else.
    names = dict(zip(wanted, free))
    return names, {path: {name: other for name, other in names.items() if name not in data[path]} for path in sources}


def renamed(source, names):
    """A Python source with other names."""
    return re.sub(r"\b[A-Za-z_]\w*", lambda word: names.get(word[0], word[0]), source)


def _number(data, at):
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def _as_number(value):
    out = bytearray([value & 0x7F])
    while value >> 7:
        value >>= 7
        out.insert(0, value & 0x7F | 0x80)
    return bytes(out)


def _table(mpy):
    """Of a .mpy file (version 6): its names, None for one that every MicroPython has by number; what is before and what is behind."""
    assert mpy[:2] == b"M\x06", "a .mpy file of version 6"
    count, at = _number(mpy, 4)
    objects, at = _number(mpy, at)
    entries = []
    for _ in range(count):
        size, at = _number(mpy, at)
        entries.append(size if size & 1 else mpy[at:at + size // 2].decode())
        at += 0 if size & 1 else size // 2 + 1
    return entries, objects, mpy[at:]


def _with_table(mpy, entries, objects, rest):
    out = mpy[:4] + _as_number(len(entries)) + _as_number(objects)
    for entry in entries:
        # A number stands for a name that every MicroPython has.
        out += _as_number(entry) if isinstance(entry, int) else _as_number(2 * len(entry.encode())) + entry.encode() + b"\0"
    return out + rest


def replaced(mpy, names):
    """The .mpy file with other names. Its first one is the source file's, for tracebacks."""
    entries, objects, rest = _table(mpy)
    return _with_table(mpy, [names.get(entry, entry) for entry in entries], objects, rest)


def remaining(mpy):
    """The names in a .mpy file that a firmware may not have."""
    return {entry for entry in _table(mpy)[0] if isinstance(entry, str)} - set(ROM_NAMES)


def with_more(mpy, names):
    """The .mpy file with further names in its table, which nothing in it uses."""
    entries, objects, rest = _table(mpy)
    return _with_table(mpy, entries + sorted(names), objects, rest)
