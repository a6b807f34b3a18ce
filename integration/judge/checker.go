package judge

import (
	"context"
	"io"
	"os"

	"burnfs/iso9660/check"
)

// flat reads blocks of a disc file.
type flat struct{ f *os.File }

// ReadBlocks implements iso9660.BlockReader.
func (d flat) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	n, err := d.f.ReadAt(p, int64(lba)*blockSize)
	if err == io.EOF && n > 0 {
		// The file of a plain ISO need not end with a block.
		clear(p[n:])
		return nil
	}
	return err
}

// Check lets our own checker look at the session, which is no foreign program: it
// knows the standards, and must have nothing to say of what burnfs records.
func (v View) Check() {
	v.Helper()
	f, err := os.Open(v.File)
	if err != nil {
		v.Fatal(err)
	}
	defer f.Close()
	for finding, err := range check.Check(v.Context(), flat{f}, v.Start, check.Options{Data: true}) {
		if err != nil {
			v.Errorf("the check of the session at block %d of %s: %v", v.Start, v.File, err)
			return
		}
		v.Errorf("the session at block %d of %s: %v", v.Start, v.File, finding)
	}
}
