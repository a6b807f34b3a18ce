package emu

import (
	"fmt"

	"burnfs/mmc"
)

// sense is what a handler returns when it refuses or fails: the code and,
// where it helps, the block in question.
type sense struct {
	key       mmc.SenseKey
	asc, ascq uint8
	info      uint32
	hasInfo   bool
	// field is the CDB byte in error plus one, 0 if none is named
	// (SPC-3 4.5.2.4.2 Field pointer sense key specific data).
	field int
	// parameter says that field counts bytes of the parameter list.
	parameter bool
	// progress is how much of a long operation is done, in parts of 65536.
	progress    uint16
	hasProgress bool
}

func (s sense) Error() string {
	return fmt.Sprintf("%v %X/%02X/%02X", s.key, uint8(s.key), s.asc, s.ascq)
}

func (s sense) at(lba uint32) sense {
	s.info, s.hasInfo = lba, true
	return s
}

func (s sense) inCDB(byteNumber int) sense {
	s.field = byteNumber + 1
	return s
}

func (s sense) inParameters(byteNumber int) sense {
	s.field, s.parameter = byteNumber+1, true
	return s
}

func (s sense) progressing(parts uint16) sense {
	s.progress, s.hasProgress = parts, true
	return s
}

// raw composes fixed format sense data.
func (s sense) raw() mmc.Sense {
	b := mmc.NewSense(s.key, s.asc, s.ascq)
	if s.hasInfo {
		b.SetInformation(s.info)
	}
	if s.field > 0 {
		b[15] = 0x80 // SKSV
		if !s.parameter {
			b[15] |= 0x40 // C/D: the field is in the CDB
		}
		b[16], b[17] = byte((s.field-1)>>8), byte(s.field-1)
	}
	if s.hasProgress { // SPC-3 4.5.2.4.4
		b[15] = 0x80
		b[16], b[17] = byte(s.progress>>8), byte(s.progress)
	}
	return b
}

// What the drive says (MMC-5 annex F; the drives' manuals, see doc.go).
var (
	noSense            = sense{key: mmc.KeyNoSense}
	backgroundFormat   = sense{key: mmc.KeyNoSense, asc: 0x04, ascq: 0x04}
	becomingReady      = sense{key: mmc.KeyNotReady, asc: 0x04, ascq: 0x01}
	formatInProgress   = sense{key: mmc.KeyNotReady, asc: 0x04, ascq: 0x04}
	inProgress         = sense{key: mmc.KeyNotReady, asc: 0x04, ascq: 0x07}
	longWrite          = sense{key: mmc.KeyNotReady, asc: 0x04, ascq: 0x08}
	noMediumTrayOpen   = sense{key: mmc.KeyNotReady, asc: 0x3a, ascq: 0x02}
	writeError         = sense{key: mmc.KeyMediumError, asc: 0x0c, ascq: 0x00}
	formatCorrupted    = sense{key: mmc.KeyMediumError, asc: 0x31, ascq: 0x00}
	unrecoveredRead    = sense{key: mmc.KeyMediumError, asc: 0x11, ascq: 0x00}
	uncorrectable      = sense{key: mmc.KeyMediumError, asc: 0x11, ascq: 0x05}
	parameterLength    = sense{key: mmc.KeyIllegalRequest, asc: 0x1a, ascq: 0x00}
	invalidOpcode      = sense{key: mmc.KeyIllegalRequest, asc: 0x20, ascq: 0x00}
	outOfRange         = sense{key: mmc.KeyIllegalRequest, asc: 0x21, ascq: 0x00}
	badWriteAddress    = sense{key: mmc.KeyIllegalRequest, asc: 0x21, ascq: 0x02}
	invalidField       = sense{key: mmc.KeyIllegalRequest, asc: 0x24, ascq: 0x00}
	invalidParameter   = sense{key: mmc.KeyIllegalRequest, asc: 0x26, ascq: 0x00}
	incompatibleMedium = sense{key: mmc.KeyIllegalRequest, asc: 0x30, ascq: 0x00}
	cannotWriteFormat  = sense{key: mmc.KeyIllegalRequest, asc: 0x30, ascq: 0x05}
	cannotFormat       = sense{key: mmc.KeyIllegalRequest, asc: 0x30, ascq: 0x06}
	commandSequence    = sense{key: mmc.KeyIllegalRequest, asc: 0x2c, ascq: 0x00}
	savingUnsupported  = sense{key: mmc.KeyIllegalRequest, asc: 0x39, ascq: 0x00}
	removalPrevented   = sense{key: mmc.KeyIllegalRequest, asc: 0x53, ascq: 0x02}
	endOfUserArea      = sense{key: mmc.KeyIllegalRequest, asc: 0x63, ascq: 0x00}
	illegalTrackMode   = sense{key: mmc.KeyIllegalRequest, asc: 0x64, ascq: 0x00}
	sessionFixation    = sense{key: mmc.KeyIllegalRequest, asc: 0x72, ascq: 0x00}
	incompleteTrack    = sense{key: mmc.KeyIllegalRequest, asc: 0x72, ascq: 0x03}
	emptyReservedTrack = sense{key: mmc.KeyIllegalRequest, asc: 0x72, ascq: 0x04}
	noMoreReservations = sense{key: mmc.KeyIllegalRequest, asc: 0x72, ascq: 0x05}
	mediumChanged      = sense{key: mmc.KeyUnitAttention, asc: 0x28, ascq: 0x00}
	powerOn            = sense{key: mmc.KeyUnitAttention, asc: 0x29, ascq: 0x00}
	writeProtected     = sense{key: mmc.KeyDataProtect, asc: 0x27, ascq: 0x00}
	blankCheck         = sense{key: mmc.KeyBlankCheck, asc: 0x00, ascq: 0x00}
	dataPhaseError     = sense{key: mmc.KeyAbortedCommand, asc: 0x4b, ascq: 0x00}
)
