package rrip

import (
	"math/bits"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/susp"
)

// Times that a TF may hold; they are recorded in this order (4.1.6).
const (
	TimeCreation   = 1 << 0
	TimeModify     = 1 << 1 // st_mtime
	TimeAccess     = 1 << 2 // st_atime
	TimeAttributes = 1 << 3 // st_ctime
	TimeBackup     = 1 << 4
	TimeExpiration = 1 << 5
	TimeEffective  = 1 << 6

	longForm = 1 << 7 // dates of 17 bytes (ECMA-119 8.4.26.1), else of 7 (9.1.5)
)

// SizeTF is the length in bytes of what AppendTF appends.
const SizeTF = tfFixedSize + 3*iso9660.DirectoryTimeSize

const tfFixedSize = 5

// A TF is a view of an entry with times (4.1.6).
type TF susp.Entry

// ParseTF gives the view; ok is false if e is not a whole TF.
func ParseTF(e susp.Entry) (tf TF, ok bool) {
	if len(e) < tfFixedSize || e.Signature() != SignatureTF {
		return nil, false
	}
	tf = TF(e)
	return tf, len(e) >= tfFixedSize+bits.OnesCount8(e[4]&^longForm)*tf.width()
}

// Time gives the time that one of the constants above names, in UTC. ok is false
// if it is not recorded or not a date.
func (tf TF) Time(which byte) (t time.Time, ok bool) {
	flags := tf[4] &^ longForm
	if flags&which == 0 {
		return t, false
	}
	width := tf.width()
	field := tf[tfFixedSize+bits.OnesCount8(flags&(which-1))*width:]
	decode := iso9660.DirectoryTime
	if width == iso9660.VolumeTimeSize {
		decode = iso9660.VolumeTime
	}
	t, err := decode(field)
	return t, err == nil && !t.IsZero()
}

func (tf TF) width() int {
	if tf[4]&longForm != 0 {
		return iso9660.VolumeTimeSize
	}
	return iso9660.DirectoryTimeSize
}

// AppendTF appends a TF entry with three times, to the second and in UTC. The
// form with dates of 7 bytes is the only one that all readers understand: Linux
// before 6.14 makes nonsense of the other.
func AppendTF(dst []byte, modify, access, attributes time.Time) []byte {
	dst = susp.Header(dst, SignatureTF, SizeTF-susp.HeaderSize)
	dst = append(dst, TimeModify|TimeAccess|TimeAttributes)
	dst = iso9660.AppendDirectoryTime(dst, modify)
	dst = iso9660.AppendDirectoryTime(dst, access)
	return iso9660.AppendDirectoryTime(dst, attributes)
}
