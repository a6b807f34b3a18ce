package mmc

import "context"

// CueSheet is the parameter list of SEND CUE SHEET (MMC-5 6.33): entries of 8
// bytes that describe a session from its lead-in to its lead-out. The host
// writes everything between the two, the pre-gap of the first track included.
//
//	              data form, mode 1  XA    MSF of
//	lead-in   TNO 00h  index 0  14h  24h   0
//	pre-gap   first    index 0  10h  20h   first block - 150
//	track     first    index 1  10h  20h   first block
//	…
//	lead-out  TNO AAh  index 1  14h  24h   the block behind the last
type CueSheet []byte

// CueEntry is one entry of a CueSheet (MMC-5 6.33.3):
//
//	 0            1     2       3           4      5 6 7
//	┌────────────┬─────┬───────┬───────────┬──────┬─────────────┐
//	│ CONTROL|ADR│ TNO │ INDEX │ DATA FORM │ SCMS │MIN SEC FRAME│
//	└────────────┴─────┴───────┴───────────┴──────┴─────────────┘
type CueEntry []byte

const cueEntryLen = 8

// DataForm says who makes what of a block (MMC-5 6.33.3.11 to 6.33.3.14): the
// host sends as many bytes of each as its [DataForm.BlockSize] says.
type DataForm uint8

// Data forms without sub-channel data.
const (
	FormAudio      DataForm = 0x00
	FormAudioPause DataForm = 0x01
	FormMode1      DataForm = 0x10 // 2048 bytes of user data
	FormMode1Pause DataForm = 0x14 // the drive makes zeros: lead-in and lead-out
	FormXA         DataForm = 0x20 // 2336 bytes; the drive makes sync, header, EDC and ECC
	FormXAPause    DataForm = 0x24
)

// BlockSize returns how many bytes of a block the host sends; 0 for forms that
// the drive makes itself, and for forms unknown here.
func (f DataForm) BlockSize() int {
	switch f {
	case FormAudio:
		return AudioBlockSize
	case FormMode1:
		return BlockSize
	case FormXA:
		return XABlockSize
	}
	return 0
}

// Append adds an entry and returns the longer sheet. ADR is 1; SCMS is 0.
func (c CueSheet) Append(control uint8, track, index int, form DataForm, at MSF) CueSheet {
	return append(c, control<<4|1, uint8(track), uint8(index), uint8(form), 0, at.M, at.S, at.F)
}

// Entries returns all whole entries.
func (c CueSheet) Entries() []CueEntry {
	var es []CueEntry
	for ; len(c) >= cueEntryLen; c = c[cueEntryLen:] {
		es = append(es, CueEntry(c[:cueEntryLen]))
	}
	return es
}

// Control returns the CONTROL nibble; bit 2 is set for data.
func (e CueEntry) Control() uint8 { return u8(e, 0) >> 4 }

// ADR returns 1 for positions, 2 for a catalog number, 3 for an ISRC.
func (e CueEntry) ADR() uint8 { return u8(e, 0) & 0xf }

// Track returns the track number, 0 for the lead-in, TOCLeadOut for the
// lead-out.
func (e CueEntry) Track() int { return int(u8(e, 1)) }

// Index returns 0 for a pre-gap, 1 for the start of a track.
func (e CueEntry) Index() int { return int(u8(e, 2)) }

// DataForm returns the data form.
func (e CueEntry) DataForm() DataForm { return DataForm(u8(e, 3)) }

// SCMS returns the serial copy management bits.
func (e CueEntry) SCMS() uint8 { return u8(e, 4) }

// MSF returns where the entry begins.
func (e CueEntry) MSF() MSF { return MSF{u8(e, 5), u8(e, 6), u8(e, 7)} }

// SendCueSheet describes the session that is written next with write type
// WriteSAO (MMC-5 6.33). The blocks of the session must follow at once.
func (d *Drive) SendCueSheet(ctx context.Context, c CueSheet) error {
	return d.send(ctx, cdbSendCueSheet(uint32(len(c))), c, timeoutWrite)
}

func cdbSendCueSheet(length uint32) []byte {
	c := make([]byte, 10)
	c[0] = byte(OpSendCueSheet)
	put24(c, 6, length)
	return c
}
