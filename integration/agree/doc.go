// Package agree lets every judge read every disc that the tests of all packages wrote:
// those on the shelf that the environment variable BURNFS_JUDGE names (package
// shelf), and the extremes that it writes itself.
//
//	disc ──▶ its sessions, as the emulated drive and package history know them
//	           │   newest and first, and the one before the newest if it has few files
//	           ├──▶ Tree: what burnfs' own reader shows of the session
//	           │      │ equal, as far as each program shows it
//	           └──▶ xorriso, isoinfo, bsdtar, 7z, iso-info, and between them ──▶ disc.agreed
//	                isovfy and our own checker find nothing                        │
//	                                     the kernel's isofs (package kernel) ◀─────┘
//
// Two programs that agree with the same tree agree with each other. So that this does
// not hang on our reader, and on what the Expect functions of package judge let pass,
// the programs are compared with each other once more.
package agree
