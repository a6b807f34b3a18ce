package mmc

import (
	"errors"
	"fmt"
)

// SenseKey is the coarse class of a condition (SPC-3 4.5.6).
type SenseKey uint8

// Sense keys.
const (
	KeyNoSense        SenseKey = 0x0
	KeyRecoveredError SenseKey = 0x1
	KeyNotReady       SenseKey = 0x2
	KeyMediumError    SenseKey = 0x3
	KeyHardwareError  SenseKey = 0x4
	KeyIllegalRequest SenseKey = 0x5
	KeyUnitAttention  SenseKey = 0x6
	KeyDataProtect    SenseKey = 0x7
	KeyBlankCheck     SenseKey = 0x8
	KeyVendor         SenseKey = 0x9
	KeyAbortedCommand SenseKey = 0xb
)

var senseKeyNames = [16]string{
	"NO SENSE", "RECOVERED ERROR", "NOT READY", "MEDIUM ERROR", "HARDWARE ERROR",
	"ILLEGAL REQUEST", "UNIT ATTENTION", "DATA PROTECT", "BLANK CHECK", "VENDOR SPECIFIC",
	"COPY ABORTED", "ABORTED COMMAND", "sense key Ch", "VOLUME OVERFLOW", "MISCOMPARE", "sense key Fh",
}

// String returns the name SPC gives the key.
func (k SenseKey) String() string { return senseKeyNames[k&0xf] }

// Sense is sense data as a drive returns it, in fixed format (response codes
// 70h, 71h; SPC-3 4.5.3):
//
//	 0      1    2          3…6          7        8…11  12   13   14   15…17
//	┌──────┬────┬──────────┬────────────┬────────┬─────┬────┬────┬────┬─────────────┐
//	│V code│  0 │flags, key│ information│add. len│ csi │ASC │ASCQ│ FRU│key specific │
//	└──────┴────┴──────────┴────────────┴────────┴─────┴────┴────┴────┴─────────────┘
//
// or in descriptor format (72h, 73h; SPC-3 4.5.2): key, ASC and ASCQ in bytes
// 1, 2, 3, then a list of descriptors.
type Sense []byte

const (
	senseFixedLen = 18 // the length every drive of the last decades returns
	senseValid    = 0x80
)

// NewSense composes current sense data in fixed format.
func NewSense(key SenseKey, asc, ascq uint8) Sense {
	s := make(Sense, senseFixedLen)
	s[0] = 0x70
	s[2] = uint8(key)
	s[7] = senseFixedLen - 8
	s[12], s[13] = asc, ascq
	return s
}

// SetInformation stores the INFORMATION field of fixed format sense data: for
// errors of READ and WRITE, the block address in question.
func (s Sense) SetInformation(v uint32) {
	s[0] |= senseValid
	put32(s, 3, v)
}

// SetProgress stores the PROGRESS INDICATION of fixed format sense data in
// parts of 65536 (SPC-3 4.5.2.4.4).
func (s Sense) SetProgress(p uint16) {
	s[15] |= 0x80
	put16(s, 16, p)
}

// SetDeferred marks the condition as belonging to an earlier command.
func (s Sense) SetDeferred() { s[0] |= 1 }

// ResponseCode returns the format of the data and whether it is deferred.
func (s Sense) ResponseCode() uint8 { return u8(s, 0) & 0x7f }

func (s Sense) isDescriptor() bool { return s.ResponseCode() == 0x72 || s.ResponseCode() == 0x73 }

// Valid reports whether the data has one of the two formats of SPC-3.
func (s Sense) Valid() bool {
	c := s.ResponseCode()
	return c >= 0x70 && c <= 0x73 && len(s) >= 4
}

// Deferred reports whether the condition belongs to an earlier command than the
// one that returned it (SPC-3 4.5.5).
func (s Sense) Deferred() bool { return s.ResponseCode() == 0x71 || s.ResponseCode() == 0x73 }

// Key returns the sense key.
func (s Sense) Key() SenseKey {
	if s.isDescriptor() {
		return SenseKey(u8(s, 1) & 0xf)
	}
	return SenseKey(u8(s, 2) & 0xf)
}

// ASC returns the additional sense code.
func (s Sense) ASC() uint8 {
	if s.isDescriptor() {
		return u8(s, 2)
	}
	return u8(s, 12)
}

// ASCQ returns the additional sense code qualifier.
func (s Sense) ASCQ() uint8 {
	if s.isDescriptor() {
		return u8(s, 3)
	}
	return u8(s, 13)
}

// descriptor returns the first descriptor of the given type (SPC-3 4.5.2.1).
func (s Sense) descriptor(kind uint8) []byte {
	for rest := []byte(s[min(8, len(s)):]); len(rest) >= 2; {
		n := 2 + int(rest[1])
		if n > len(rest) {
			return nil
		}
		if rest[0] == kind {
			return rest[:n]
		}
		rest = rest[n:]
	}
	return nil
}

// Information returns the INFORMATION field: for errors of READ and WRITE, the
// block address in question.
func (s Sense) Information() (v uint64, ok bool) {
	if s.isDescriptor() {
		d := s.descriptor(0x00) // SPC-3 4.5.2.2 Information sense data descriptor
		if len(d) < 12 || d[2]&0x80 == 0 {
			return 0, false
		}
		return uint64(u32(d, 4))<<32 | uint64(u32(d, 8)), true
	}
	if u8(s, 0)&senseValid == 0 || len(s) < 7 {
		return 0, false
	}
	return uint64(u32(s, 3)), true
}

// Progress returns the PROGRESS INDICATION of a long running operation in parts
// of 65536 (SPC-3 4.5.2.4.4). It means nothing with other keys than NO SENSE
// and NOT READY.
func (s Sense) Progress() (p uint16, ok bool) {
	if k := s.Key(); k != KeyNoSense && k != KeyNotReady {
		return 0, false
	}
	if s.isDescriptor() {
		d := s.descriptor(0x02) // SPC-3 4.5.2.4 Sense key specific descriptor
		if len(d) < 7 || d[4]&0x80 == 0 {
			return 0, false
		}
		return u16(d, 5), true
	}
	if u8(s, 15)&0x80 == 0 || len(s) < 18 {
		return 0, false
	}
	return u16(s, 16), true
}

// SenseError is a CHECK CONDITION: the drive refused a command, failed at it, or
// wants to be heard before it takes one.
type SenseError struct {
	Op        Opcode // that returned the condition
	Key       SenseKey
	ASC       uint8  // additional sense code
	ASCQ      uint8  // additional sense code qualifier
	Info      uint64 // INFORMATION field; 0 unless InfoValid
	InfoValid bool   // of READ and WRITE: Info is the block address in question
	Deferred  bool   // the condition belongs to an earlier command than Op
	CDB       []byte // of the command that returned the condition
	Raw       Sense  // as the drive sent it
}

// NewSenseError makes the error for sense data that a command returned. It
// copies its arguments.
func NewSenseError(cdb []byte, raw Sense) *SenseError {
	e := &SenseError{
		Key: raw.Key(), ASC: raw.ASC(), ASCQ: raw.ASCQ(), Deferred: raw.Deferred(),
		CDB: append([]byte(nil), cdb...), Raw: append(Sense(nil), raw...),
	}
	if len(cdb) > 0 {
		e.Op = Opcode(cdb[0])
	}
	e.Info, e.InfoValid = raw.Information()
	return e
}

// Error tells the command, the sense key, the three codes and what they mean.
func (e *SenseError) Error() string {
	s := fmt.Sprintf("%s: %v %X/%02X/%02X", describe(e.CDB), e.Key, uint8(e.Key), e.ASC, e.ASCQ)
	if text := senseText(e.ASC, e.ASCQ); text != "" {
		s += " " + text
	}
	if e.InfoValid && (e.Key == KeyMediumError || e.Key == KeyBlankCheck || e.Key == KeyHardwareError) {
		s += fmt.Sprintf(" at block %d", e.Info)
	}
	if e.Deferred {
		s += " (reported late, for an earlier command)"
	}
	return s
}

// Is reports whether target is a [Condition] that the sense data meets.
func (e *SenseError) Is(target error) bool {
	c, ok := target.(*Condition)
	return ok && c.matches(e)
}

const anyCode = -1

// Condition is a class of sense data to compare a *SenseError with by
// errors.Is. Conditions are never returned as such.
type Condition struct {
	key, asc, ascq int // anyCode: any
	text           string
}

// Error describes the condition.
func (c *Condition) Error() string { return c.text }

func (c *Condition) matches(e *SenseError) bool {
	return (c.key == anyCode || c.key == int(e.Key)) &&
		(c.asc == anyCode || c.asc == int(e.ASC)) &&
		(c.ascq == anyCode || c.ascq == int(e.ASCQ))
}

// Conditions that callers tell apart (SPC-3 annex D).
var (
	ErrNotReady         error = &Condition{2, anyCode, anyCode, "drive not ready"}
	ErrNoMedium         error = &Condition{2, 0x3a, anyCode, "no medium in the drive"}
	ErrBecomingReady    error = &Condition{2, 0x04, 0x01, "drive is becoming ready"}
	ErrFormatInProgress error = &Condition{2, 0x04, 0x04, "format in progress"}
	ErrOpInProgress     error = &Condition{2, 0x04, 0x07, "operation in progress"}
	ErrLongWrite        error = &Condition{2, 0x04, 0x08, "long write in progress"}
	ErrRecovered        error = &Condition{1, anyCode, anyCode, "recovered by the drive"}
	ErrMediumError      error = &Condition{3, anyCode, anyCode, "medium error"}
	ErrUnreadable       error = &Condition{3, 0x11, anyCode, "unrecovered read error"}
	ErrWriteError       error = &Condition{3, 0x0c, anyCode, "write error"}
	ErrHardware         error = &Condition{4, anyCode, anyCode, "hardware error"}
	ErrIllegalRequest   error = &Condition{5, anyCode, anyCode, "the drive does not accept this request"}
	ErrInvalidOpcode    error = &Condition{5, 0x20, 0x00, "the drive does not know this command"}
	ErrOutOfRange       error = &Condition{5, 0x21, 0x00, "block address out of range"}
	ErrBadWriteAddress  error = &Condition{5, 0x21, 0x02, "invalid address for write"}
	ErrInvalidField     error = &Condition{5, 0x24, 0x00, "invalid field in command"}
	ErrInvalidParameter error = &Condition{5, 0x26, anyCode, "invalid field in parameter list"}
	ErrSequence         error = &Condition{5, 0x2c, anyCode, "command sequence error"}
	ErrSaving           error = &Condition{5, 0x39, 0x00, "saving parameters not supported"}
	ErrRemovalPrevented error = &Condition{5, 0x53, 0x02, "medium removal prevented"}
	ErrEndOfUserArea    error = &Condition{5, 0x63, 0x00, "end of user area encountered on this track"}
	ErrNotFit           error = &Condition{5, 0x63, 0x01, "packet does not fit in available space"}
	ErrIllegalTrackMode error = &Condition{5, 0x64, anyCode, "illegal mode for this track"}
	ErrSessionFixation  error = &Condition{anyCode, 0x72, anyCode, "session fixation error"}
	ErrPowerCalibration error = &Condition{anyCode, 0x73, anyCode, "power calibration failed"}
	ErrUnitAttention    error = &Condition{6, anyCode, anyCode, "unit attention"}
	ErrMediumChanged    error = &Condition{6, 0x28, anyCode, "the medium may have changed"}
	ErrReset            error = &Condition{6, 0x29, anyCode, "the drive was reset"}
	ErrWriteProtected   error = &Condition{7, 0x27, anyCode, "write protected"}
	ErrBlankCheck       error = &Condition{8, anyCode, anyCode, "blank check: nothing is recorded there"}
	ErrAborted          error = &Condition{0xb, anyCode, anyCode, "aborted command"}
)

// ErrDriveGone is met by a *TransportError of a drive that cannot be reached any
// more: it was unplugged or switched off, or its connection broke.
var ErrDriveGone = errors.New("the drive is gone")

// SCSI status codes of a *TransportError (SAM-3 5.3.1).
const (
	StatusBusy                = 0x08 // the drive cannot take a command now
	StatusReservationConflict = 0x18 // the drive belongs to another host
	StatusTaskSetFull         = 0x28 // the drive has too many commands already
	StatusTaskAborted         = 0x40 // another host ended the command
)

// TransportError is a command that did not reach the drive, or whose outcome is
// not known because the way back failed. Whoever writes must find out where the
// drive stands before he sends the blocks again, unless Unsent is set.
type TransportError struct {
	CDB    []byte // of the command
	Host   uint32 // host adapter status, as Linux numbers it (DID_*)
	Driver uint32 // driver status, as Linux numbers it
	Status uint8  // SCSI status other than GOOD and CHECK CONDITION
	// Unsent says that the drive certainly did not begin to execute the command:
	// the host refused it, or the drive did not take it. Without it the outcome
	// is unknown.
	Unsent bool
	// Gone says that further commands will not reach the drive either.
	Gone bool
	Err  error // errno or other cause, nil if the fields above say it all
}

// Error tells the command, what went wrong on the way and what that leaves open.
func (e *TransportError) Error() string {
	s := describe(e.CDB)
	switch {
	case e.Gone && e.Unsent:
		s += ": the drive is gone"
	case e.Gone:
		s += ": the drive is gone, and nobody knows whether it executed the command"
	case e.Status == StatusBusy || e.Status == StatusTaskSetFull:
		s += ": the drive is busy and did not take the command"
	case e.Status == StatusReservationConflict:
		s += ": the drive is reserved by another computer and did not take the command"
	case e.Unsent:
		s += ": the command was not sent to the drive"
	default:
		s += ": the command was lost, and nobody knows whether the drive executed it"
	}
	if e.Host != 0 || e.Driver != 0 || e.Status != 0 {
		s += fmt.Sprintf(" (host %02Xh, driver %02Xh, status %02Xh)", e.Host, e.Driver, e.Status)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is reports whether target is ErrDriveGone and the drive is.
func (e *TransportError) Is(target error) bool { return e.Gone && target == ErrDriveGone }

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// ResponseError is a reply that is too short or contradicts itself.
type ResponseError struct {
	Op     Opcode // that was replied to
	Reason string // what is wrong with the reply
	Raw    []byte // the reply, at most 64 bytes of it
}

func newResponseError(op Opcode, b []byte, format string, args ...any) *ResponseError {
	return &ResponseError{Op: op, Reason: fmt.Sprintf(format, args...), Raw: append([]byte(nil), b[:min(len(b), 64)]...)}
}

// Error tells the command and what is wrong with the reply.
func (e *ResponseError) Error() string {
	return fmt.Sprintf("%v: the drive's reply makes no sense: %s (% x)", e.Op, e.Reason, e.Raw)
}
