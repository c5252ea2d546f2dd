// Entries for sys.path
Q(/ lib)
