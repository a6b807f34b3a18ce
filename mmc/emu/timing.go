package emu

import "time"

// Timing is what makes a drive slow. The zero value is a drive that needs no
// time for anything.
type Timing struct {
	Speed  uint32        // kB (1000 bytes) per second, at most; SET CD SPEED and SET STREAMING can only make it slower
	Seek   time.Duration // before a READ or WRITE that does not go on where the last one ended
	Load   time.Duration // from closing the tray until the medium is ready
	Close  time.Duration // CLOSE TRACK/SESSION
	Format time.Duration // FORMAT UNIT, unless it goes on in the background while the disc is written
	Blank  time.Duration // BLANK
	OPC    time.Duration // SEND OPC INFORMATION, and before the first WRITE to a medium that was not calibrated with it
	Buffer uint32        // size of the write buffer in bytes; 0 is 4 MiB
}
