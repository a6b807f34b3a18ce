package mountpoint

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// Detach takes the burnfs mount at point out of the directory tree (umount2(2),
// MNT_DETACH). What lies below it, or on top of it, is left alone.
func Detach(ctx context.Context, point string) error {
	switch m, mounted, err := Find(point); {
	case err != nil:
		return err
	case !mounted || !m.Burnfs():
		return fmt.Errorf("the mount on top of %s is not one of burnfs", point)
	}
	if os.Geteuid() == 0 {
		if err := unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return &os.PathError{Op: "umount", Path: point, Err: err}
		}
		return nil
	}
	// Others need fusermount3, which is set-user-ID.
	cmd := exec.CommandContext(ctx, "fusermount3", "-u", "-z", "--", point)
	cmd.Dir = "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fusermount3 -u -z %s: %w: %s", point, err, bytes.TrimSpace(out))
	}
	return nil
}
