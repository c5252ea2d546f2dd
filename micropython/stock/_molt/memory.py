"""Where the chip has memory that an image can be loaded to, and where its flash is mapped."""


def is_ram(vaddr, size):
    return 0x40100000 <= vaddr and vaddr + size <= 0x40110000 or 0x3FFE8000 <= vaddr and vaddr + size <= 0x3FFFC000


def is_mapped(vaddr, size):
    return 0x40200000 <= vaddr and vaddr + size <= 0x40300000
