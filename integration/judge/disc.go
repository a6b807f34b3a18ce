package judge

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"burnfs/integration/harness"
)

const blockSize = 2048

// Disc is a disc file as foreign programs get to see it. It must not change
// while it is judged.
type Disc struct {
	testing.TB
	File string // block n at byte 2048·n

	mu    sync.Mutex
	copy  string // guarded by mu; made when first needed
	shows uint32 // guarded by mu; first block of the session that the copy shows
}

// Open gets a disc file ready to be judged.
func Open(t testing.TB, file string) *Disc { return &Disc{TB: t, File: file} }

// View is one session of a disc.
type View struct {
	*Disc
	Start uint32 // first block of the session
	// Direct means that block 16 of the disc file shows this session.
	Direct bool
	// Older says that the session continues another one, and Foreign that it is not
	// by burnfs. Programs that cannot read all of such sessions, and say so, abstain
	// then: Read returns nil.
	Older, Foreign bool
}

// Session returns the view of the session that starts at a block.
func (d *Disc) Session(start uint32) View {
	d.Helper()
	return View{Disc: d, Start: start, Direct: start == 0}
}

// Newest returns the view of an overwritable medium's newest session, which any
// program finds by itself.
func (d *Disc) Newest(start uint32) View { return View{Disc: d, Start: start, Direct: true} }

// Plain returns a file whose block 16 shows the session. It is good until the
// next call for another session.
func (v View) Plain() string {
	v.Helper()
	if v.Direct {
		return v.File
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.copy != "" && v.shows == v.Start {
		return v.copy
	}
	if v.copy == "" {
		v.copy = filepath.Join(v.TempDir(), "copy.iso")
		harness.Run(v, "cp", "--sparse=always", "--reflink=auto", v.File, v.copy)
	}
	if err := moveDescriptors(v.File, v.copy, v.descriptors()); err != nil {
		v.Fatalf("show the session at %d of %s at block 16: %v", v.Start, v.File, err)
	}
	v.shows = v.Start
	return v.copy
}

// descriptors is where the volume descriptors are that tell how far the disc goes, not
// just the session, for programs that take nothing beyond. On overwritable media
// burnfs records such behind those of the session.
func (v View) descriptors() int64 {
	v.Helper()
	first := int64(v.Start) + 16
	f, err := os.Open(v.File)
	if err != nil {
		v.Fatal(err)
	}
	defer f.Close()
	at := first
	kind := func() (byte, bool) {
		b := make([]byte, 6)
		_, err := f.ReadAt(b, at*blockSize)
		return b[0], err == nil && string(b[1:]) == "CD001"
	}
	for {
		k, ok := kind()
		if !ok {
			return first
		}
		if at++; k == 255 {
			break
		}
	}
	at++ // the checksum tag
	if k, ok := kind(); ok && k == 1 {
		return at
	}
	return first
}

// moveDescriptors copies the volume descriptor set at block first to block 16 of the
// file to. ECMA-119 8.3: type 255 ends the set.
func moveDescriptors(from, to string, first int64) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := dst.Close(); err == nil {
			err = cerr
		}
	}()
	for i := int64(16); i < 32; i++ {
		block := make([]byte, blockSize)
		if _, err := src.ReadAt(block, (first-16+i)*blockSize); err != nil && err != io.EOF {
			return err
		}
		if string(block[1:6]) != "CD001" {
			return fmt.Errorf("no volume descriptor at block %d", first-16+i)
		}
		if _, err := dst.WriteAt(block, i*blockSize); err != nil {
			return err
		}
		if block[0] == 255 {
			return nil
		}
	}
	return fmt.Errorf("the volume descriptor set at block %d does not end", first)
}
