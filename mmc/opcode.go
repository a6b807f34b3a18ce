package mmc

import (
	"encoding/binary"
	"fmt"
)

// Opcode is the operation code of a command (byte 0 of its CDB). The package
// comment lists the commands by purpose.
type Opcode uint8

// Operation codes (MMC-5 clause 6 unless noted).
const (
	OpTestUnitReady        Opcode = 0x00 // 6.42
	OpRequestSense         Opcode = 0x03 // 6.30
	OpFormatUnit           Opcode = 0x04 // 6.5
	OpInquiry              Opcode = 0x12 // 6.9
	OpStartStopUnit        Opcode = 0x1b // 6.40
	OpPreventAllowRemoval  Opcode = 0x1e // 6.14
	OpReadFormatCapacities Opcode = 0x23 // 6.24
	OpReadCapacity         Opcode = 0x25 // 6.19
	OpRead10               Opcode = 0x28 // 6.15
	OpWrite10              Opcode = 0x2a // 6.44
	OpWriteAndVerify10     Opcode = 0x2e // 6.46
	OpSynchronizeCache     Opcode = 0x35 // 6.41
	OpReadTOC              Opcode = 0x43 // 6.26 READ TOC/PMA/ATIP
	OpReadHeader           Opcode = 0x44 // MMC-1, READ HEADER
	OpGetConfiguration     Opcode = 0x46 // 6.6
	OpGetEventStatus       Opcode = 0x4a // 6.7 GET EVENT STATUS NOTIFICATION
	OpReadDiscInformation  Opcode = 0x51 // 6.22
	OpReadTrackInformation Opcode = 0x52 // 6.27
	OpReserveTrack         Opcode = 0x53 // 6.31
	OpSendOPC              Opcode = 0x54 // 6.36 SEND OPC INFORMATION
	OpModeSelect10         Opcode = 0x55 // 6.12
	OpModeSense10          Opcode = 0x5a // 6.13
	OpCloseTrackSession    Opcode = 0x5b // 6.3
	OpReadBufferCapacity   Opcode = 0x5c // 6.18
	OpSendCueSheet         Opcode = 0x5d // 6.33
	OpBlank                Opcode = 0xa1 // 6.2
	OpRead12               Opcode = 0xa8 // 6.16
	OpWrite12              Opcode = 0xaa // 6.45
	OpGetPerformance       Opcode = 0xac // 6.8
	OpReadDiscStructure    Opcode = 0xad // 6.23
	OpSetStreaming         Opcode = 0xb6 // 6.39
	OpSetCDSpeed           Opcode = 0xbb // 6.37
	OpReadCD               Opcode = 0xbe // 6.20
)

var opcodeNames = map[Opcode]string{
	OpTestUnitReady:        "TEST UNIT READY",
	OpRequestSense:         "REQUEST SENSE",
	OpFormatUnit:           "FORMAT UNIT",
	OpInquiry:              "INQUIRY",
	OpStartStopUnit:        "START STOP UNIT",
	OpPreventAllowRemoval:  "PREVENT ALLOW MEDIUM REMOVAL",
	OpReadFormatCapacities: "READ FORMAT CAPACITIES",
	OpReadCapacity:         "READ CAPACITY",
	OpRead10:               "READ(10)",
	OpWrite10:              "WRITE(10)",
	OpWriteAndVerify10:     "WRITE AND VERIFY(10)",
	OpSynchronizeCache:     "SYNCHRONIZE CACHE",
	OpReadTOC:              "READ TOC/PMA/ATIP",
	OpReadHeader:           "READ HEADER",
	OpGetConfiguration:     "GET CONFIGURATION",
	OpGetEventStatus:       "GET EVENT STATUS NOTIFICATION",
	OpReadDiscInformation:  "READ DISC INFORMATION",
	OpReadTrackInformation: "READ TRACK INFORMATION",
	OpReserveTrack:         "RESERVE TRACK",
	OpSendOPC:              "SEND OPC INFORMATION",
	OpModeSelect10:         "MODE SELECT(10)",
	OpModeSense10:          "MODE SENSE(10)",
	OpCloseTrackSession:    "CLOSE TRACK/SESSION",
	OpReadBufferCapacity:   "READ BUFFER CAPACITY",
	OpSendCueSheet:         "SEND CUE SHEET",
	OpBlank:                "BLANK",
	OpRead12:               "READ(12)",
	OpWrite12:              "WRITE(12)",
	OpGetPerformance:       "GET PERFORMANCE",
	OpReadDiscStructure:    "READ DISC STRUCTURE",
	OpSetStreaming:         "SET STREAMING",
	OpSetCDSpeed:           "SET CD SPEED",
	OpReadCD:               "READ CD",
}

// String returns the name MMC gives the command.
func (o Opcode) String() string {
	if s, ok := opcodeNames[o]; ok {
		return s
	}
	return fmt.Sprintf("command %02Xh", uint8(o))
}

// CDBLen returns how many bytes the command descriptor block of the operation
// has (SPC-3 4.3.4.1), or 0 for codes of reserved or vendor specific groups.
func (o Opcode) CDBLen() int {
	switch o >> 5 {
	case 0:
		return 6
	case 1, 2:
		return 10
	case 4:
		return 16
	case 5:
		return 12
	}
	return 0
}

// BlockRange returns the first block and the number of blocks that a command of
// the READ and WRITE family addresses; ok is false for all other commands and
// for blocks of the wrong length.
func BlockRange(cdb []byte) (lba, blocks uint32, ok bool) {
	if len(cdb) == 0 || len(cdb) != Opcode(cdb[0]).CDBLen() {
		return 0, 0, false
	}
	switch Opcode(cdb[0]) {
	case OpRead10, OpWrite10, OpWriteAndVerify10:
		return binary.BigEndian.Uint32(cdb[2:]), uint32(binary.BigEndian.Uint16(cdb[7:])), true
	case OpRead12, OpWrite12:
		return binary.BigEndian.Uint32(cdb[2:]), binary.BigEndian.Uint32(cdb[6:]), true
	case OpReadCD:
		return binary.BigEndian.Uint32(cdb[2:]), u24(cdb, 6), true
	}
	return 0, 0, false
}

// describe names the command in a CDB together with what it was about, for
// error messages and logs.
func describe(cdb []byte) string {
	if len(cdb) == 0 {
		return "empty command"
	}
	op := Opcode(cdb[0])
	if lba, n, ok := BlockRange(cdb); ok {
		return fmt.Sprintf("%v block %d count %d", op, lba, n)
	}
	if len(cdb) < op.CDBLen() {
		return op.String()
	}
	switch op {
	case OpReadTrackInformation:
		return fmt.Sprintf("%v type %d number %d", op, cdb[1]&3, binary.BigEndian.Uint32(cdb[2:]))
	case OpCloseTrackSession:
		return fmt.Sprintf("%v function %d track %d", op, cdb[2]&7, binary.BigEndian.Uint16(cdb[4:]))
	case OpReadTOC:
		return fmt.Sprintf("%v format %d", op, cdb[2]&0xf)
	case OpModeSense10:
		return fmt.Sprintf("%v page %02Xh", op, cdb[2]&0x3f)
	}
	return op.String()
}
