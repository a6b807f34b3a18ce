package imageburn

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"burnfs/iso9660"
)

// headLimit is how far into an image its root directory is looked for, in
// blocks: path tables lie before it, 10 bytes and a name for each directory.
const headLimit = 16 << 10

// peeker reads an image front to back and lets its first blocks be looked at
// before. The last block is filled up with zeros.
type peeker struct {
	r     io.Reader
	head  []byte // read and not yet handed out
	ended error  // io.EOF, or why reading failed; nil while there is more
}

// block is block n of the image, counted from 0, or nil if there is none. It
// must be called before Read.
func (p *peeker) block(n uint32) ([]byte, error) {
	want := (int(n) + 1) * iso9660.BlockSize
	const step = 64 << 10
	for len(p.head) < want && p.ended == nil {
		p.head = slices.Grow(p.head, step)
		k, err := io.ReadFull(p.r, p.head[len(p.head):len(p.head)+step])
		p.head = p.head[:len(p.head)+k]
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		p.ended = err
	}
	if p.ended != nil && !errors.Is(p.ended, io.EOF) {
		return nil, p.ended
	}
	if len(p.head) < want {
		return nil, nil
	}
	return p.head[want-iso9660.BlockSize : want], nil
}

// Read fills p; it reads less only at the end.
func (p *peeker) Read(b []byte) (int, error) {
	n := copy(b, p.head)
	p.head = p.head[n:]
	if n == len(b) {
		return n, nil
	}
	if p.ended != nil {
		if n > 0 {
			return n, nil
		}
		return 0, p.ended
	}
	k, err := io.ReadFull(p.r, b[n:])
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		p.ended, err = io.EOF, nil
		if n+k == 0 {
			err = io.EOF
		}
	}
	return n + k, err
}

// origin is what an image says about itself.
type origin struct {
	iso    bool
	start  uint32 // the block it was made for
	blocks uint32 // what its descriptor says of its size; 0 if that is not plausible
	volume string
}

// errNoRoot: the image is ISO 9660, but where it belongs cannot be found out.
var errNoRoot = errors.New("the root directory is not where the image's descriptor says")

// inspect finds out what the image is; hints are the starts to try first.
func inspect(p *peeker, hints ...uint32) (origin, error) {
	b, err := p.block(iso9660.FirstDescriptor)
	if err != nil || b == nil {
		return origin{}, err
	}
	d, err := iso9660.ParseVolumeDescriptor(b, iso9660.FirstDescriptor)
	if err != nil {
		return origin{}, nil // something else than ISO 9660
	}
	pvd, ok := iso9660.ParsePrimary(d)
	if !ok {
		return origin{}, nil
	}
	o := origin{iso: true, volume: pvd.VolumeIdentifier()}
	rec, err := pvd.RootRecord()
	if err != nil {
		return o, fmt.Errorf("%w: %w", errNoRoot, err)
	}
	root := rec.Location()
	isRoot := func(start uint32) (bool, error) {
		if root < start || root-start > headLimit {
			return false, nil
		}
		b, err := p.block(root - start)
		if err != nil || b == nil {
			return false, err
		}
		self, err := iso9660.ParseDirectoryRecord(b)
		return err == nil && self.Location() == root && string(self.Identifier()) == iso9660.SelfIdentifier, nil
	}
	found := func(start uint32) origin {
		o.start = start
		switch size := pvd.VolumeSpaceSize(); {
		case size > root: // counted from block 0 of the medium
			o.blocks = size - start
		case size > root-start: // counted from the image's first block, as mkisofs does
			o.blocks = size
		}
		return o
	}
	for _, h := range hints {
		if ok, err := isRoot(h); ok || err != nil {
			return found(h), err
		}
	}
	for n := uint32(iso9660.FirstDescriptor + 1); n <= headLimit && n <= root; n++ {
		if ok, err := isRoot(root - n); ok || err != nil {
			return found(root - n), err
		}
		if p.ended != nil && int(n)*iso9660.BlockSize >= len(p.head) {
			break
		}
	}
	return o, errNoRoot
}
