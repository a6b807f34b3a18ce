package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/check"
)

// TestContinued checks discs that others have continued. What mkisofs -C and xorriso
// record as the volume space size of a later session counts from its beginning, and
// Linux loses the names whose continuation area lies beyond it: the one error that
// may be found.
func TestContinued(t *testing.T) {
	beyond := []check.Rule{check.VolumeSize, check.ContinuationBeyond, check.LinkCount, check.DirectoryParent, check.JolietMissing}
	for _, row := range []struct {
		name   string
		first  []string
		next   func(t testing.TB, iso, root string) uint32 // where the session begins
		head   []check.Rule                                // what may be found at block 0
		habits []check.Rule
	}{
		{
			"genisoimage", []string{"genisoimage", "-quiet", "-R", "-J", "-joliet-long"},
			func(t testing.TB, iso, root string) uint32 {
				info, err := os.Stat(iso)
				must(t, err)
				start := (info.Size()/iso9660.BlockSize + 31) / 32 * 32
				part := filepath.Join(t.TempDir(), "part")
				tool(t, "genisoimage", "-quiet", "-R", "-J", "-joliet-long", "-C", fmt.Sprintf("0,%d", start), "-M", iso, "-o", part, root)
				tool(t, "dd", "if="+part, "of="+iso, "bs=2048", fmt.Sprintf("seek=%d", start), "conv=notrunc", "status=none")
				return uint32(start)
			},
			[]check.Rule{check.LinkCount}, beyond,
		},
		{
			"xorriso", []string{"xorriso", "-as", "mkisofs", "-R", "-J", "-joliet-long", "--md5"},
			func(t testing.TB, iso, root string) uint32 {
				info, err := os.Stat(iso)
				must(t, err)
				tool(t, "xorriso", "-abort_on", "FAILURE", "-md5", "on", "-joliet", "on", "-dev", "stdio:"+iso, "-map", root, "/second", "-commit")
				return uint32((info.Size()/iso9660.BlockSize + 31) / 32 * 32)
			},
			[]check.Rule{check.DirectoryParent, check.JolietMissing}, beyond,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			iso := filepath.Join(t.TempDir(), "image.iso")
			tool(t, row.first[0], append(row.first[1:len(row.first):len(row.first)], "-o", iso, hostTree(t))...)
			start := row.next(t, iso, hostTree(t))
			disc := openFile(t, iso)
			judge(t, run(t, disc, 0, true), row.head)
			judge(t, run(t, disc, start, true), row.habits)
		})
	}
}
