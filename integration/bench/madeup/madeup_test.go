package madeup_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"burnfs/integration/bench/madeup"
	"burnfs/iso9660"
	"burnfs/iso9660/volume"
)

// file reads blocks of an image.
type file struct{ *os.File }

func (f file) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	_, err := f.ReadAt(p, int64(lba)*iso9660.BlockSize)
	return err
}

// TestReadsBack: the disc has the directories, files and depth that were asked for.
func TestReadsBack(t *testing.T) {
	for _, shape := range []madeup.Shape{{Dirs: 7, PerDir: 5, Depth: 3}, {Dirs: 1, PerDir: 1, Depth: 1}, {Dirs: 4, PerDir: 2, Depth: 1}} {
		path := filepath.Join(t.TempDir(), "disc.iso")
		if err := madeup.Write(t.Context(), path, shape); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		v, err := volume.Open(t.Context(), file{f}, 0, volume.Options{})
		if err != nil {
			t.Fatal(err)
		}
		dirs, files, depth := 0, 0, 0
		for at, err := range v.Walk(t.Context()) {
			switch {
			case err != nil:
				t.Fatal(err)
			case at.Entry.IsDir():
				dirs++
				depth = max(depth, at.Depth)
			default:
				files++
				if at.Entry.Size != madeup.FileSize {
					t.Errorf("%s has %d bytes", at.Path, at.Entry.Size)
				}
			}
		}
		if dirs != 1+shape.Dirs || files != shape.Dirs*shape.PerDir || depth != shape.Depth {
			t.Errorf("%+v: %d directories, %d files, depth %d", shape, dirs, files, depth)
		}
		fi, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if want := int64(v.Primary().VolumeSpaceSize()) * iso9660.BlockSize; fi.Size() != want {
			t.Errorf("%+v: the file has %d bytes, the volume %d", shape, fi.Size(), want)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
