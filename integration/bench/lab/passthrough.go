package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// Where Debian's libfuse3-dev has the source of its example.
const passthroughSource = "/usr/share/doc/libfuse3-dev/examples/passthrough_ll.c"

// Passthrough builds the file system that libfuse gives as an example of how to pass
// everything through to a directory with little cost.
func (l *Lab) Passthrough(ctx context.Context) (string, error) {
	return l.input("passthrough", func(path string) error {
		if _, err := os.Stat(passthroughSource); err != nil {
			return fmt.Errorf("%w: apt-get install libfuse3-dev (make bench does it as root)", err)
		}
		_, flags, err := l.Run(ctx, "pkg-config", "--cflags", "--libs", "fuse3")
		if err != nil {
			return err
		}
		return l.MustSucceed(ctx, "cc", append([]string{"-O2", "-o", path, passthroughSource}, strings.Fields(flags)...)...)
	})
}
