package madeup

import (
	"bytes"
	"os"
)

// holeSize is how many bytes of zeros become a hole: what file systems allocate at a time.
const holeSize = 4096

// holes writes a file from its beginning, and leaves out what is zero.
type holes struct {
	f  *os.File
	at int64
}

// Write takes any number of bytes; only a piece that is zero as a whole is left out.
func (h *holes) Write(p []byte) (int, error) {
	var zeros [holeSize]byte
	written := 0
	for written < len(p) {
		piece := p[written:min(len(p), written+holeSize)]
		if !bytes.Equal(piece, zeros[:len(piece)]) {
			if _, err := h.f.WriteAt(piece, h.at); err != nil {
				return written, err
			}
		}
		h.at += int64(len(piece))
		written += len(piece)
	}
	return written, nil
}
