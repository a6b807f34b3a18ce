package iscsi

import "encoding/binary"

// lun is a logical unit number as it travels (SAM-5 4.7, RFC 7143 11.2.1.7).
type lun [8]byte

// zero reports whether l names logical unit 0, by peripheral device addressing
// or by flat space addressing (SAM-5 4.7.7).
func (l lun) zero() bool {
	first := binary.BigEndian.Uint16(l[:])
	return (first == 0 || first == 0x4000) && [6]byte(l[2:]) == [6]byte{}
}
