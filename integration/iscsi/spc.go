package iscsi

import (
	"errors"
	"hash/fnv"
	"slices"

	"burnfs/mmc"
)

// Commands and pages that SPC demands and MMC does not know.
const (
	opReportLUNs mmc.Opcode = 0xa0 // SPC-3 6.21
	opModeSense6 mmc.Opcode = 0x1a // SPC-3 6.9

	vpdSupported      = 0x00 // SPC-3 7.6.10
	vpdIdentification = 0x83 // SPC-3 7.6.3
)

// answersAnyLUN says whether a command is answered for logical units that do not
// exist (SAM-5, incorrect logical unit selection).
func answersAnyLUN(op mmc.Opcode) bool {
	return op == mmc.OpInquiry || op == opReportLUNs || op == mmc.OpRequestSense
}

// heedless says whether a command leaves a unit attention pending (SAM-5 5.14,
// MMC-5 4.1.6.1).
func heedless(op mmc.Opcode) bool {
	return answersAnyLUN(op) || op == mmc.OpGetConfiguration || op == mmc.OpGetEventStatus
}

// refused makes the error for a command that is refused here.
func refused(cmd *mmc.Command, c condition) error { return mmc.NewSenseError(cmd.CDB, c.sense()) }

// reply sends as much of b as the initiator has room for.
func reply(cmd *mmc.Command, b []byte, allocation int) error {
	n := copy(cmd.Data, b[:min(len(b), allocation)])
	cmd.Resid = len(cmd.Data) - n
	return nil
}

// answer executes a command for logical unit 0.
func (u *unit) answer(s *session, cmd *mmc.Command) error {
	if kept := u.attention; kept != nil && !heedless(cmd.Opcode()) {
		u.attention = nil
		return kept
	}
	switch cmd.Opcode() {
	case opReportLUNs:
		return reportLUNs(cmd)
	case opModeSense6:
		return u.modeSense6(cmd)
	case mmc.OpPreventAllowRemoval:
		return u.preventAllow(s, cmd)
	case mmc.OpInquiry:
		if cmd.CDB[1] == 1 { // EVPD
			return u.vitalProductData(cmd)
		}
	case mmc.OpRequestSense:
		if c := s.pending(); c != nil {
			return reply(cmd, c, int(cmd.CDB[4]))
		}
	}
	return u.toDrive(cmd)
}

// pending returns a unit attention that REQUEST SENSE tells and thereby ends
// (SPC-3 6.27).
func (s *session) pending() mmc.Sense {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.attention
	s.attention = nil
	return a
}

// answerWrongLUN answers for a logical unit that does not exist (SAM-5, incorrect logical unit selection).
func answerWrongLUN(cmd *mmc.Command) error {
	switch cmd.Opcode() {
	case opReportLUNs:
		return reportLUNs(cmd)
	case mmc.OpRequestSense:
		return reply(cmd, senseNoLogicalUnit.sense(), int(cmd.CDB[4]))
	}
	if cmd.CDB[1] != 0 || cmd.CDB[2] != 0 {
		return refused(cmd, senseInvalidField)
	}
	b := make([]byte, 36)
	b[0] = 3<<5 | 0x1f // no peripheral device can be connected here (SPC-3 6.4.2)
	b[2] = 0x05        // SPC-3
	b[3] = 0x02        // response data format
	b[4] = byte(len(b) - 5)
	for i := 8; i < len(b); i++ {
		b[i] = ' '
	}
	return reply(cmd, b, allocation16(cmd.CDB))
}

// allocation16 is the allocation length of INQUIRY.
func allocation16(cdb []byte) int { return int(cdb[3])<<8 | int(cdb[4]) }

// reportLUNs tells that there is logical unit 0 only (SPC-3 6.21).
func reportLUNs(cmd *mmc.Command) error {
	const all, wellKnown, every = 0x00, 0x01, 0x02 // SELECT REPORT
	c := cmd.CDB
	allocation := uint32(c[6])<<24 | uint32(c[7])<<16 | uint32(c[8])<<8 | uint32(c[9])
	if allocation < 16 {
		return refused(cmd, senseInvalidField)
	}
	b := make([]byte, 16)
	switch c[2] {
	case all, every:
		b[3] = 8 // LUN list length
	case wellKnown:
		b = b[:8]
	default:
		return refused(cmd, senseInvalidField)
	}
	return reply(cmd, b, int(min(allocation, 1<<16)))
}

// vitalProductData adds the identification page to those of the drive, if it has
// none itself.
func (u *unit) vitalProductData(cmd *mmc.Command) error {
	page := cmd.CDB[2]
	if page != vpdSupported {
		err := u.toDrive(cmd)
		if page == vpdIdentification && errors.Is(err, mmc.ErrIllegalRequest) {
			return reply(cmd, u.identification(), allocation16(cmd.CDB))
		}
		return err
	}
	b := make([]byte, 260)
	own := &mmc.Command{
		CDB:       []byte{byte(mmc.OpInquiry), 1, vpdSupported, byte(len(b) >> 8), byte(len(b)), 0},
		Direction: mmc.FromDrive, Data: b, Timeout: cmd.Timeout,
	}
	pages := []byte{vpdSupported, vpdIdentification}
	switch err := u.toDrive(own); {
	case err == nil:
		if got := own.Transferred(); len(got) > 4 {
			pages = append(pages, got[4:min(len(got), 4+int(got[3]))]...)
		}
	case !errors.Is(err, mmc.ErrIllegalRequest):
		return err
	}
	slices.Sort(pages)
	pages = slices.Compact(pages)
	head := []byte{0x05, vpdSupported, 0, byte(len(pages))}
	return reply(cmd, append(head, pages...), allocation16(cmd.CDB))
}

// identification is the Device Identification page (SPC-3 7.6.3), made of the
// target's name.
func (u *unit) identification() []byte {
	const (
		binaryCode, ascii, utf8            = 1, 2, 3
		ofUnit, ofTarget                   = 0 << 4, 2 << 4
		vendorID, naa, scsiName            = 1, 3, 8
		iscsiProtocol, protocolValid uint8 = 5 << 4, 0x80
	)
	b := []byte{0x05, vpdIdentification, 0, 0}
	add := func(code, kind byte, id []byte) {
		b = append(append(b, code, kind, 0, byte(len(id))), id...)
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(u.name)) // never fails
	id := h.Sum(nil)
	id[0] = 3<<4 | id[0]&0xf // NAA locally assigned (SPC-3 7.6.3.6.4)
	add(binaryCode, ofUnit|naa, id)
	add(ascii, ofUnit|vendorID, append([]byte("BURNFS  "), u.name...))
	name := append([]byte(u.name), 0)
	for len(name)%4 != 0 {
		name = append(name, 0)
	}
	add(iscsiProtocol|utf8, protocolValid|ofTarget|scsiName, name) // SPC-3 7.6.3.11
	b[2], b[3] = byte((len(b)-4)>>8), byte(len(b)-4)
	return b
}
