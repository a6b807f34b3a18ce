package iscsi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// opcode is the kind of a PDU (RFC 7143 11.2.1.2).
type opcode uint8

// Opcodes of initiators.
const (
	opNopOut       opcode = 0x00 // RFC 7143 11.18
	opSCSICommand  opcode = 0x01 // 11.3
	opTaskMgmt     opcode = 0x02 // 11.5
	opLogin        opcode = 0x03 // 11.12
	opText         opcode = 0x04 // 11.10
	opDataOut      opcode = 0x05 // 11.7
	opLogout       opcode = 0x06 // 11.14
	opSNACK        opcode = 0x10 // 11.16
	opNopIn        opcode = 0x20 // 11.19
	opSCSIResponse opcode = 0x21 // 11.4
	opTaskMgmtResp opcode = 0x22 // 11.6
	opLoginResp    opcode = 0x23 // 11.13
	opTextResp     opcode = 0x24 // 11.11
	opDataIn       opcode = 0x25 // 11.7
	opLogoutResp   opcode = 0x26 // 11.15
	opR2T          opcode = 0x31 // 11.8
	opReject       opcode = 0x3f // 11.17
)

var opcodeNames = map[opcode]string{
	opNopOut: "NOP-Out", opSCSICommand: "SCSI Command", opTaskMgmt: "Task Management", opLogin: "Login",
	opText: "Text", opDataOut: "Data-Out", opLogout: "Logout", opSNACK: "SNACK",
	opNopIn: "NOP-In", opSCSIResponse: "SCSI Response", opTaskMgmtResp: "Task Management Response",
	opLoginResp: "Login Response", opTextResp: "Text Response", opDataIn: "Data-In",
	opLogoutResp: "Logout Response", opR2T: "R2T", opReject: "Reject",
}

func (o opcode) String() string {
	if s, ok := opcodeNames[o]; ok {
		return s
	}
	return fmt.Sprintf("opcode %02Xh", uint8(o))
}

// noTag marks a tag that names nothing (RFC 7143 11.2.1.8, 11.7.4).
const noTag = 0xffffffff

// headerLen is the length of the basic header segment (RFC 7143 11.2.1).
const headerLen = 48

// Flags of byte 1 that all or several kinds of PDU share.
const (
	flagFinal    = 0x80 // F: last PDU of a sequence (RFC 7143 11.2.1.4)
	flagContinue = 0x40 // C: the text goes on in the next PDU (11.10.2, 11.12.3)
	flagTransit  = 0x80 // T: ready for the next stage (11.12.2)
)

// header is the basic header segment, with an accessor for each field. Fields of
// one offset differ by the kind of PDU.
type header [headerLen]byte

func (h *header) opcode() opcode  { return opcode(h[0] & 0x3f) }
func (h *header) immediate() bool { return h[0]&0x40 != 0 } // RFC 7143 11.2.1.1
func (h *header) flags() uint8    { return h[1] }
func (h *header) final() bool     { return h[1]&flagFinal != 0 }
func (h *header) ahsLen() int     { return int(h[4]) * 4 } // RFC 7143 11.2.1.5
func (h *header) dataLen() int    { return int(h[5])<<16 | int(h[6])<<8 | int(h[7]) }
func (h *header) lun() lun        { return lun(h[8:16]) }
func (h *header) itt() uint32     { return h.u32(16) } // Initiator Task Tag
func (h *header) ttt() uint32     { return h.u32(20) } // Target Transfer Tag
func (h *header) cmdSN() uint32   { return h.u32(24) }

// SCSI Command (RFC 7143 11.3).

func (h *header) reads() bool            { return h[1]&0x40 != 0 }
func (h *header) writes() bool           { return h[1]&0x20 != 0 }
func (h *header) expectedLength() uint32 { return h.u32(20) }
func (h *header) cdb() []byte            { return h[32:48] }

// Data-Out (RFC 7143 11.7).

func (h *header) dataSN() uint32       { return h.u32(36) }
func (h *header) bufferOffset() uint32 { return h.u32(40) }

// Task Management Function Request (RFC 7143 11.5).

func (h *header) function() uint8       { return h[1] & 0x7f }
func (h *header) referencedITT() uint32 { return h.u32(20) }

// Login Request (RFC 7143 11.12).

func (h *header) currentStage() stage { return stage(h[1] >> 2 & 3) }
func (h *header) nextStage() stage    { return stage(h[1] & 3) }
func (h *header) versionMin() uint8   { return h[3] }
func (h *header) isid() [6]byte       { return [6]byte(h[8:14]) }
func (h *header) tsih() uint16        { return binary.BigEndian.Uint16(h[14:]) }
func (h *header) cid() uint16         { return binary.BigEndian.Uint16(h[20:]) }

// Logout Request (RFC 7143 11.14).

func (h *header) logoutReason() uint8 { return h[1] & 0x7f }

func (h *header) u32(off int) uint32       { return binary.BigEndian.Uint32(h[off:]) }
func (h *header) put16(off int, v uint16)  { binary.BigEndian.PutUint16(h[off:], v) }
func (h *header) put32(off int, v uint32)  { binary.BigEndian.PutUint32(h[off:], v) }
func (h *header) setDataLen(n int)         { h[5], h[6], h[7] = byte(n>>16), byte(n>>8), byte(n) }
func (h *header) setOpcode(o opcode)       { h[0] = byte(o) }
func (h *header) setITT(tag uint32)        { h.put32(16, tag) }
func (h *header) setTTT(tag uint32)        { h.put32(20, tag) }
func (h *header) setDataSN(n uint32)       { h.put32(36, n) }
func (h *header) setBufferOffset(n uint32) { h.put32(40, n) }

// pdu is a protocol data unit, without the padding.
type pdu struct {
	header
	ahs  []byte
	data []byte
}

// errPDU is the cause of all errors about what an initiator sent that end the
// connection.
var errPDU = errors.New("iSCSI protocol violated")

// readPDU reads a PDU whose data segment is no longer than limit. It reserves no
// more memory than that and 1020 bytes of additional header.
func readPDU(r io.Reader, limit int) (*pdu, error) {
	p := new(pdu)
	if _, err := io.ReadFull(r, p.header[:]); err != nil {
		return nil, err
	}
	if n := p.dataLen(); n > limit {
		return nil, fmt.Errorf("%w: a data segment of %d bytes in %v, %d are allowed", errPDU, n, p.opcode(), limit)
	}
	rest := make([]byte, p.ahsLen()+padded(p.dataLen()))
	if _, err := io.ReadFull(r, rest); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	p.ahs = rest[:p.ahsLen()]
	p.data = rest[p.ahsLen():][:p.dataLen()]
	return p, nil
}

// padded rounds up to the four bytes that segments are multiples of
// (RFC 7143 11.1).
func padded(n int) int { return (n + 3) &^ 3 }
