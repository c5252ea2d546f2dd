"""What is said where the heap is too full to prepare an upgrade."""

from _molt import part


def no_heap(job):
    """MemoryError with its sentence. Progress ends."""
    part("end").clear(job)
    error = part("text").error
    return MemoryError(error(12, "no_heap").args[1] + (error(12, "no_heap_gzip", "").args[1] if job.is_gzip else ""))
