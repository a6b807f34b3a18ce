package commit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"burnfs/iso9660/eltorito"
	"burnfs/iso9660/image"
)

// Staged reads the staging log.
type Staged interface {
	ReadAt(p []byte, addr int64) error
}

// Stream writes the session's bytes, from its first block to its last, to w.
// It writes the same bytes each time.
func (p *Plan) Stream(ctx context.Context, where string, staged Staged, w io.Writer, progress func(blocks uint32)) error {
	return p.stream(ctx, where, staged, w, progress, func(*image.Parts) {})
}

// stream is Stream with what else is set.
func (p *Plan) stream(ctx context.Context, where string, staged Staged, w io.Writer, progress func(blocks uint32), set func(*image.Parts)) error {
	tree, err := os.Open(filepath.Join(where, treeName))
	if err != nil {
		return err
	}
	defer tree.Close()
	carry, err := os.Open(filepath.Join(where, carryName))
	if err != nil {
		return err
	}
	defer carry.Close()
	parts := image.Parts{
		Header: p.Header,
		Tree:   bufio.NewReaderSize(tree, 1<<18),
		Files: func(yield func(image.File, error) bool) {
			for f, err := range sequence[file](where, filesName) {
				g := image.File{ID: f.Ino, Index: f.Index, New: f.New, NewOffsets: f.Offsets, Size: f.Size, Path: string(f.Path), Handle: f.Bytes}
				if f.Patch != nil {
					g.Patch = eltorito.Patch{InfoTable: f.Patch.InfoTable, PVD: f.Patch.PVD, Grub: f.Patch.Grub}
				}
				if err == nil {
					err = f.oldDigests(&g)
				}
				if !yield(g, err) || err != nil {
					return
				}
			}
		},
		Open: func(_ context.Context, f image.File) (io.ReadCloser, error) {
			return io.NopCloser(&spanReader{spans: f.Handle.([]span), staged: staged, carry: carry}), nil
		},
		Progress: progress,
	}
	set(&parts)
	return image.Stream(ctx, w, parts)
}

// oldDigests gives g what is to be carried forward.
func (f *file) oldDigests(g *image.File) error {
	if n := len(f.OldMD5); n != 0 && n != len(g.OldMD5) {
		return errDamagedList
	}
	if n := len(f.OldSHA); n != 0 && n != len(g.OldSHA256) {
		return errDamagedList
	}
	if len(f.OldMD5) > 0 {
		g.OldMD5 = (*[16]byte)(f.OldMD5)
	}
	if len(f.OldSHA) > 0 {
		g.OldSHA256 = (*[32]byte)(f.OldSHA)
	}
	return nil
}

var errDamagedList = errors.New("the plan's list of files is damaged")

// spanReader reads new bytes from where they are.
type spanReader struct {
	spans  []span
	done   int64 // of the first span
	staged Staged
	carry  io.ReaderAt
}

func (r *spanReader) Read(p []byte) (int, error) {
	if len(r.spans) == 0 {
		return 0, io.EOF
	}
	s := r.spans[0]
	p = p[:min(int64(len(p)), s.Len-r.done)]
	switch s.From {
	case fromZeros:
		clear(p)
	case fromStaging:
		if err := r.staged.ReadAt(p, s.Addr+r.done); err != nil {
			return 0, err
		}
	case fromCarry:
		if n, err := r.carry.ReadAt(p, s.Addr+r.done); n < len(p) {
			return 0, fmt.Errorf("the plan's file %s is too short: %w", carryName, err)
		}
	default:
		return 0, fmt.Errorf("%w: kind %d", errDamagedList, s.From)
	}
	if r.done += int64(len(p)); r.done == s.Len {
		r.spans, r.done = r.spans[1:], 0
	}
	return len(p), nil
}
