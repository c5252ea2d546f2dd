# What `make test` runs. Each test is a program or script that prints TAP (ok / not ok lines); tests/run counts.
