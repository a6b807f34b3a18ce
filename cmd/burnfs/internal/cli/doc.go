// Package cli is the command line of burnfs: one file per subcommand, each of
// them arguments → a call into the packages below → text or JSON → an exit code.
//
//	argv[0] = burnfs               cobra commands (root.go)
//	argv[0] = mount.burnfs         mount(8) helper   ┐ (helper.go)
//	argv[0] = umount.fuse.burnfs   umount(8) helper  ┘
package cli
