// Package daemon puts a program into the background without losing what it
// has to say until it is ready.
//
//	burnfs mount ──exec /proc/self/exe, setsid──▶ the same command line, READY pipe on fd 3
//	     │                                             │ opens the disc, mounts …
//	     │        {"ready":true,"log":"…"}             │
//	     │◀────────── or {"failure":{…}} ──────────────┤ one JSON line, then the pipe is closed
//	  exit 0 / the failure's code                      │ stderr now goes to the log file
//	                                                   ▼ serves until unmounted
//
// Until it is ready the daemon shares the terminal's stderr; afterwards file
// descriptors 1 and 2 lead to the log file, so that even a crash of the Go
// runtime is recorded there. A pipe that closes without a line means that the
// daemon died.
package daemon
