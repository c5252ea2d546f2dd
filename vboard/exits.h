// What the exit status of a board's run means. A program on the board that ends the run itself chooses 0..63.
//
// Read by C and assembly, so only #defines.
#ifndef VBOARD_EXITS_H
#define VBOARD_EXITS_H

#define EXIT_GUEST_MAX 63
#define EXIT_BRICK 70   // nothing bootable in flash
#define EXIT_CRASH 71   // an exception, or a ROM function that does not exist
#define EXIT_CUT 72     // the power cut that was asked for
#define EXIT_REPORT 73  // the board saw something that the chip does not allow
#define EXIT_TIMEOUT 74
#define EXIT_BROKEN 75  // the board itself could not be set up
#define EXIT_HANG 76    // the ROM waits for something that never comes, and nothing resets the board

#endif
