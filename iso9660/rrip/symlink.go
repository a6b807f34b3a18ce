package rrip

import (
	"strings"

	"burnfs/iso9660"
	"burnfs/iso9660/susp"
)

// Sizes in bytes of the parts of an SL entry (4.1.3) and of a component record
// (4.1.3.1: flags, length, text).
const (
	slFixedSize        = 5
	componentFixedSize = 2
	maxSL              = susp.MaxEntrySize - slFixedSize
)

// A TargetDecoder puts the target of a symbolic link together from the SL entries
// of a record. The zero value is ready for use.
type TargetDecoder struct {
	target []byte
	// joined says that the next component needs no slash before it: there is
	// none yet, the last one ended in one, or the last one is to be continued.
	begun, joined bool
	done          bool
}

// Reset makes d ready for the next record.
func (d *TargetDecoder) Reset() { *d = TargetDecoder{target: d.target[:0]} }

// Add takes the next entry; others than whole SL are ignored, and so are those
// after the one that ends the target. The error is iso9660.ErrTruncated if a
// component record reaches beyond its entry.
func (d *TargetDecoder) Add(e susp.Entry) error {
	if d.done || len(e) < slFixedSize || e.Signature() != SignatureSL {
		return nil
	}
	d.done = e[4]&flagContinue == 0
	for records := e[slFixedSize:]; len(records) >= componentFixedSize; {
		flags, length := records[0], int(records[1])
		if componentFixedSize+length > len(records) {
			return iso9660.ErrTruncated
		}
		d.component(flags, records[componentFixedSize:componentFixedSize+length])
		records = records[componentFixedSize+length:]
	}
	return nil
}

func (d *TargetDecoder) component(flags byte, text []byte) {
	if d.begun && !d.joined {
		d.target = append(d.target, '/')
	}
	d.begun, d.joined = true, flags&flagContinue != 0
	switch {
	case flags&(flagRoot|flagVolRoot) != 0:
		// libisofs records an empty component in the middle of a target as
		// one of these; like Linux, this takes it for the slash that it is.
		d.target = append(d.target, '/')
		d.joined = true
	case flags&flagCurrent != 0:
		d.target = append(d.target, '.')
	case flags&flagParent != 0:
		d.target = append(d.target, '.', '.')
	default:
		d.target = append(d.target, text...)
	}
}

// Target is what has been added so far, valid until the next Reset.
func (d *TargetDecoder) Target() []byte { return d.target }

// AppendSL appends the target of a symbolic link, in as many SL entries as it
// takes. What TargetDecoder makes of them is target, byte for byte: doubled and
// trailing slashes are kept as empty components.
func AppendSL(dst []byte, target string) []byte {
	w := slWriter{dst: dst}
	w.open()
	if rest, absolute := strings.CutPrefix(target, "/"); absolute {
		w.component(flagRoot, "")
		if rest == "" {
			return w.dst
		}
		target = rest
	}
	for more := true; more; {
		var part string
		part, target, more = strings.Cut(target, "/")
		switch part {
		case ".":
			w.component(flagCurrent, "")
		case "..":
			w.component(flagParent, "")
		default:
			w.text(part)
		}
	}
	return w.dst
}

// An slWriter fills SL entries to the last byte.
type slWriter struct {
	dst   []byte
	entry int // where the entry being filled begins
}

func (w *slWriter) open() {
	w.entry = len(w.dst)
	w.dst = append(susp.Header(w.dst, SignatureSL, slFixedSize-susp.HeaderSize), 0)
}

// room makes sure that the entry has room for a component record with at least
// least bytes of text, beginning another entry if need be, and tells how many
// bytes of text the record can have.
func (w *slWriter) room(least int) int {
	free := maxSL + slFixedSize - (len(w.dst) - w.entry) - componentFixedSize
	if free < least {
		w.dst[w.entry+4] = flagContinue
		w.open()
		free = maxSL - componentFixedSize
	}
	return free
}

func (w *slWriter) component(flags byte, text string) {
	w.room(len(text))
	w.dst = append(w.dst, flags, byte(len(text)))
	w.dst = append(w.dst, text...)
	w.dst[w.entry+2] = byte(len(w.dst) - w.entry)
}

func (w *slWriter) text(s string) {
	for {
		part := s[:min(len(s), w.room(min(len(s), 1)))]
		s = s[len(part):]
		if s == "" {
			w.component(0, part)
			return
		}
		w.component(flagContinue, part)
	}
}
