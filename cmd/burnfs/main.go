// Command burnfs makes a multisession optical disc writable like any folder.
//
// Everything it does is in the packages below: the subcommands in internal/cli,
// one file each. The same binary answers to the names mount.burnfs and
// umount.fuse.burnfs, under which mount(8) and umount(8) call it.
package main

import (
	"os"

	"burnfs/cmd/burnfs/internal/cli"
)

func main() {
	os.Exit(cli.Main(cli.Process()))
}
