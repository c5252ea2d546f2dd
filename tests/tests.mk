# What `make test` runs. Each test is a program or script that prints TAP (ok / not ok lines); tests/run counts.

TEST_FIXTURE := $(call objects,$(wildcard tests/fixture/*.c))
# The parts of the tool that tests share: the preparation and the torture engine, not the commands.
TEST_ENGINE := $(call objects,cmd/molt/host.c cmd/molt/torture.c cmd/molt/torture_files.c)
TEST_LIBS := $(SIM_LIB) $(LFS_LIB) $(CORE_LIB)
FLAGS_tests/fixture = $(FLAGS_tests/unit)

$(TEST_FIXTURE) $(TEST_ENGINE): $(LOADER_GEN)

$(OUT)/cut: $(OUT)/tests/cut/cut.o $(TEST_FIXTURE) $(TEST_ENGINE) $(TEST_LIBS)
	$(Q)$(CC) $(LDFLAGS_VARIANT) $^ -o $@
