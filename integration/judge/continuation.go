package judge

import (
	"slices"
	"strings"
	"testing"

	"burnfs/integration/harness"
)

// Genisoimage makes the image of another session of a disc: args are those of
// genisoimage, for example -C and -M.
func Genisoimage(t testing.TB, out string, args ...string) {
	t.Helper()
	harness.Run(t, "genisoimage", append([]string{"-quiet", "-R", "-J", "-joliet-long", "-o", out}, args...)...)
}

// XorrisoMkisofs does the same by xorriso's emulation of mkisofs.
func XorrisoMkisofs(t testing.TB, out string, args ...string) {
	t.Helper()
	harness.Run(t, "xorriso", append([]string{"-as", "mkisofs", "-quiet", "-R", "-J", "-joliet-long", "-o", out}, args...)...)
}

// XorrisoGrow lets xorriso add a directory to an overwritable disc by itself.
func XorrisoGrow(t testing.TB, file, dir, name string) {
	t.Helper()
	Open(t, file).runXorriso(append(slices.Clone(strict), "-for_backup", "-joliet", "on", "-md5", "load_check_off",
		"-dev", "stdio:"+file, "-map", dir, "/"+name, "-commit")...)
}

// Growisofs begins an overwritable disc (-Z) or adds a session to it (-M). It
// calls genisoimage.
//
// Before -Z it unmounts what it takes for mounts of the disc. With a plain file,
// whose device number is 0, that is each mount whose source is a plain file, so
// every other mount of burnfs, or "proc" when there is a directory of that name.
// It works in a mount namespace of its own, where there are none of these.
func Growisofs(t testing.TB, how, file string, args ...string) {
	t.Helper()
	const isolated = `
		umount -i -l /proc
		mount -t proc no-such-source /proc
		grep ' fuse' /proc/self/mounts | cut -d ' ' -f 2 | while read -r point; do umount -i -l "$point"; done
		exec growisofs "$@"`
	harness.Run(t, "unshare", append([]string{"--mount", "--propagation", "private", "sh", "-euc", isolated, "growisofs",
		how, file, "-quiet", "-R", "-J", "-joliet-long"}, args...)...)
}

// Graft is an argument that gives dir another name in the image.
func Graft(name, dir string) string {
	return strings.ReplaceAll(name, "=", `\=`) + "/=" + dir
}
