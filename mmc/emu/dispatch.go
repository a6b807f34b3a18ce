package emu

import (
	"encoding/binary"

	"burnfs/mmc"
)

// request is a command under way.
type request struct {
	cdb         []byte
	cmd         *mmc.Command
	transferred int // bytes of cmd.Data used
}

func (r *request) u16(off int) uint32 { return uint32(binary.BigEndian.Uint16(r.cdb[off:])) }
func (r *request) u32(off int) uint32 { return binary.BigEndian.Uint32(r.cdb[off:]) }

// reply sends as much of b as the host asked for. A shorter allocation length
// than the reply is no error (SPC-3 4.3.4.6).
func (r *request) reply(b []byte, allocation uint32) error {
	b = b[:min(uint64(len(b)), uint64(allocation))]
	if len(b) > 0 && r.cmd.Direction != mmc.FromDrive {
		return dataPhaseError
	}
	r.transferred = copy(r.cmd.Data, b)
	return nil
}

// parameterList returns the data of a command that sends them with their length
// in the CDB.
func (r *request) parameterList(length uint32) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}
	if r.cmd.Direction != mmc.ToDrive || uint64(len(r.cmd.Data)) != uint64(length) {
		return nil, dataPhaseError
	}
	r.transferred = len(r.cmd.Data)
	return r.cmd.Data, nil
}

// needs says what a command demands of the drive.
type needs uint8

const (
	needsMedium needs = 1 << iota
	// needsWritable demands a medium that the host lets us write.
	needsWritable
	// heedless commands are done even if a unit attention is pending
	// (MMC-5 4.1.6.1).
	heedless
)

// command is a row of the table of what the drive understands.
type command struct {
	name   string
	opcode mmc.Opcode
	// usage has the bits of the CDB that may be other than zero, as REPORT
	// SUPPORTED OPERATION CODES tells them (SPC-3 6.23.3 CDB usage data). Its
	// length is that of the CDB; its byte 0 does not count.
	usage   []byte
	needs   needs
	handler func(*Drive, *request) error
}

// commands is what the drive understands, in the order of operation codes. The
// references after the names are to MMC-5.
var commands = []command{
	{"TEST UNIT READY", mmc.OpTestUnitReady, // 6.42
		[]byte{0, 0, 0, 0, 0, 0}, needsMedium, (*Drive).testUnitReady},
	{"REQUEST SENSE", mmc.OpRequestSense, // 6.30
		[]byte{0, 0, 0, 0, 0xff, 0}, heedless, (*Drive).requestSense},
	{"FORMAT UNIT", mmc.OpFormatUnit, // 6.5
		[]byte{0, 0x1f, 0, 0, 0, 0}, needsMedium | needsWritable, (*Drive).formatUnit},
	{"INQUIRY", mmc.OpInquiry, // 6.9
		[]byte{0, 0x01, 0xff, 0xff, 0xff, 0}, heedless, (*Drive).inquiry},
	{"START STOP UNIT", mmc.OpStartStopUnit, // 6.40
		[]byte{0, 0x01, 0, 0, 0xf3, 0}, heedless, (*Drive).startStopUnit},
	{"PREVENT ALLOW MEDIUM REMOVAL", mmc.OpPreventAllowRemoval, // 6.14
		[]byte{0, 0, 0, 0, 0x03, 0}, 0, (*Drive).preventAllowMediumRemoval},
	{"READ FORMAT CAPACITIES", mmc.OpReadFormatCapacities, // 6.24
		[]byte{0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0}, 0, (*Drive).readFormatCapacities},
	{"READ CAPACITY", mmc.OpReadCapacity, // 6.19
		[]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, needsMedium, (*Drive).readCapacity},
	{"READ(10)", mmc.OpRead10, // 6.15
		[]byte{0, 0x18, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0}, needsMedium, (*Drive).read},
	{"WRITE(10)", mmc.OpWrite10, // 6.44
		[]byte{0, 0x18, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0}, needsMedium | needsWritable, (*Drive).write},
	{"WRITE AND VERIFY(10)", mmc.OpWriteAndVerify10, // 6.46
		[]byte{0, 0x10, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0}, needsMedium | needsWritable, (*Drive).write},
	{"SYNCHRONIZE CACHE", mmc.OpSynchronizeCache, // 6.41
		[]byte{0, 0x02, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0}, needsMedium, (*Drive).synchronizeCache},
	{"READ TOC/PMA/ATIP", mmc.OpReadTOC, // 6.26
		[]byte{0, 0x02, 0x0f, 0, 0, 0, 0xff, 0xff, 0xff, 0xc0}, needsMedium, (*Drive).readTOC},
	{"READ HEADER", mmc.OpReadHeader, // MMC-1
		[]byte{0, 0x02, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0}, needsMedium, (*Drive).readHeader},
	{"GET CONFIGURATION", mmc.OpGetConfiguration, // 6.6
		[]byte{0, 0x03, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0}, heedless, (*Drive).getConfiguration},
	{"GET EVENT STATUS NOTIFICATION", mmc.OpGetEventStatus, // 6.7
		[]byte{0, 0x01, 0, 0, 0xff, 0, 0, 0xff, 0xff, 0}, heedless, (*Drive).getEventStatus},
	{"READ DISC INFORMATION", mmc.OpReadDiscInformation, // 6.22
		[]byte{0, 0x07, 0, 0, 0, 0, 0, 0xff, 0xff, 0}, needsMedium, (*Drive).readDiscInformation},
	{"READ TRACK INFORMATION", mmc.OpReadTrackInformation, // 6.27
		[]byte{0, 0x03, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0}, needsMedium, (*Drive).readTrackInformation},
	{"RESERVE TRACK", mmc.OpReserveTrack, // 6.31
		[]byte{0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0}, needsMedium | needsWritable, (*Drive).reserveTrack},
	{"SEND OPC INFORMATION", mmc.OpSendOPC, // 6.36
		[]byte{0, 0x01, 0, 0, 0, 0, 0, 0, 0, 0}, needsMedium | needsWritable, (*Drive).sendOPC},
	{"MODE SELECT(10)", mmc.OpModeSelect10, // 6.12
		[]byte{0, 0x11, 0, 0, 0, 0, 0, 0xff, 0xff, 0}, 0, (*Drive).modeSelect},
	{"MODE SENSE(10)", mmc.OpModeSense10, // 6.13
		[]byte{0, 0x08, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0}, 0, (*Drive).modeSense},
	{"CLOSE TRACK/SESSION", mmc.OpCloseTrackSession, // 6.3
		[]byte{0, 0x01, 0x07, 0, 0xff, 0xff, 0, 0, 0, 0}, needsMedium | needsWritable, (*Drive).closeTrackSession},
	{"READ BUFFER CAPACITY", mmc.OpReadBufferCapacity, // 6.18
		[]byte{0, 0x01, 0, 0, 0, 0, 0, 0xff, 0xff, 0}, needsMedium, (*Drive).readBufferCapacity},
	{"SEND CUE SHEET", mmc.OpSendCueSheet, // 6.33
		[]byte{0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0}, needsMedium | needsWritable, (*Drive).sendCueSheet},
	{"BLANK", mmc.OpBlank, // 6.2
		[]byte{0, 0x17, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0}, needsMedium | needsWritable, (*Drive).blank},
	{"READ(12)", mmc.OpRead12, // 6.16
		[]byte{0, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0}, needsMedium, (*Drive).read},
	{"WRITE(12)", mmc.OpWrite12, // 6.45
		[]byte{0, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0}, needsMedium | needsWritable, (*Drive).write},
	{"GET PERFORMANCE", mmc.OpGetPerformance, // 6.8
		[]byte{0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0}, needsMedium, (*Drive).getPerformance},
	{"READ DISC STRUCTURE", mmc.OpReadDiscStructure, // 6.23
		[]byte{0, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc0, 0}, needsMedium, (*Drive).readDiscStructure},
	{"SET STREAMING", mmc.OpSetStreaming, // 6.39
		[]byte{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0}, 0, (*Drive).setStreaming},
	{"SET CD SPEED", mmc.OpSetCDSpeed, // 6.37
		[]byte{0, 0x03, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0}, 0, (*Drive).setCDSpeed},
	{"READ CD", mmc.OpReadCD, // 6.20
		[]byte{0, 0x1e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0x07, 0}, needsMedium, (*Drive).readCD},
}

// byOpcode is commands, indexed by operation code.
var byOpcode = func() (index [256]*command) {
	for i := range commands {
		index[commands[i].opcode] = &commands[i]
	}
	return index
}()

// dispatch checks what is common to all commands and calls the handler.
func (d *Drive) dispatch(r *request) error {
	if len(r.cdb) == 0 {
		return invalidOpcode
	}
	c := byOpcode[r.cdb[0]]
	if c == nil {
		return invalidOpcode.inCDB(0)
	}
	if len(r.cdb) != len(c.usage) {
		return invalidField.inCDB(min(len(r.cdb), len(c.usage)))
	}
	if c.needs&heedless == 0 && d.attention != nil {
		s := *d.attention
		d.attention = nil
		return s
	}
	if !duringWork(c.opcode) {
		if err := d.busy(); err != nil {
			return err
		}
	}
	if c.needs&needsMedium != 0 && d.ejected {
		return noMediumTrayOpen
	}
	if d.medium.recordingAtOnce() && !duringRecording(c.opcode) {
		return commandSequence
	}
	for i, allowed := range c.usage[1:] {
		if r.cdb[1+i]&^allowed != 0 {
			return invalidField.inCDB(1 + i)
		}
	}
	if c.needs&needsWritable != 0 && d.medium.protected {
		return writeProtected
	}
	return c.handler(d, r)
}
