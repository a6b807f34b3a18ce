// Package control is the conversation between a mounted burnfs and the
// commands that ask something of it: HTTP and JSON over a Unix socket.
//
//	GET  /v1/status            → Status
//	POST /v1/sync              → Event*           commit, stay mounted
//	POST /v1/unmount[?lazy=1]  → Event*           unmount, commit, end
//	POST /v1/plan              → Event*           tell what a commit would burn
//
// Long requests answer with JSON lines (application/x-ndjson). Lines
// with Progress come while work is done, the last line carries Done or
// Failure:
//
//	{"progress":{"phase":"burning","done":1048576,"total":7340032}}
//	{"done":{"burned":true,"session":3,…}}
//
// A stream that ends without such a line means that the daemon was killed; its
// staging is then the truth. Work once begun goes on when the asker goes away,
// except that a plan is then not finished.
//
// The socket is named after the mount point, not after the mount, so that a
// command can still wait for a burn after the kernel has unmounted:
//
//	<runtime directory>/<first 16 hex digits of SHA-256 of the mount point>.sock
//	                                                            …….lock   held by the daemon
//
// Only the user who mounted and root may talk to it; both ends check the
// other's credentials (unix(7), SO_PEERCRED).
package control
