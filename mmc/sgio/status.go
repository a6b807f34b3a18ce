package sgio

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"burnfs/mmc"
)

// SCSI status codes that are no errors of transport (SAM-3 5.3.1).
const (
	statusGood           = 0x00
	statusCheckCondition = 0x02
	statusConditionMet   = 0x04
	statusMask           = 0x7e // the other bits are vendor specific or reserved
)

// hostStatus is what the host adapter's driver says of a command (DID_*,
// include/scsi/scsi_status.h).
type hostStatus uint16

// Host statuses. Whether a command reached the drive before it was given up, none
// of them tells reliably: drivers also use those that speak of the way there when
// the way back fails.
const (
	hostOK             hostStatus = 0x00
	hostNoConnect      hostStatus = 0x01
	hostBusBusy        hostStatus = 0x02
	hostTimeOut        hostStatus = 0x03
	hostBadTarget      hostStatus = 0x04
	hostAbort          hostStatus = 0x05
	hostParity         hostStatus = 0x06
	hostError          hostStatus = 0x07
	hostReset          hostStatus = 0x08
	hostBadInterrupt   hostStatus = 0x09
	hostPassthrough    hostStatus = 0x0a
	hostSoftError      hostStatus = 0x0b
	hostImmediateRetry hostStatus = 0x0c
	hostRequeue        hostStatus = 0x0d
	hostDisrupted      hostStatus = 0x0e
	hostFailFast       hostStatus = 0x0f
	hostTargetFailure  hostStatus = 0x10
	hostNexusFailure   hostStatus = 0x11
	hostAllocFailure   hostStatus = 0x12
	hostMediumError    hostStatus = 0x13
	hostMarginal       hostStatus = 0x14
	hostStatuses                  = 0x15
)

// driver_status: kernels before 5.14 gave advice in the upper bits.
const (
	driverSense  = 0x08 // there is sense data
	driverAdvice = 0xf0
)

var hostTexts = [hostStatuses]string{
	hostNoConnect:      "no connection to the drive",
	hostBusBusy:        "the bus stayed busy",
	hostTimeOut:        "timed out",
	hostBadTarget:      "no such drive",
	hostAbort:          "aborted",
	hostParity:         "parity error on the bus",
	hostError:          "error of the host adapter",
	hostReset:          "the bus was reset",
	hostBadInterrupt:   "unexpected interrupt",
	hostPassthrough:    "refused by the driver",
	hostSoftError:      "passing error of the driver",
	hostImmediateRetry: "to be sent again",
	hostRequeue:        "to be sent again",
	hostDisrupted:      "the connection was disrupted",
	hostFailFast:       "the connection did not come back in time",
	hostTargetFailure:  "failure of the drive",
	hostNexusFailure:   "reserved for another host",
	hostAllocFailure:   "out of space",
	hostMediumError:    "medium error",
	hostMarginal:       "the connection is bad",
}

func (h hostStatus) String() string {
	if int(h) < len(hostTexts) && hostTexts[h] != "" {
		return hostTexts[h]
	}
	return fmt.Sprintf("host adapter status %02Xh", uint16(h))
}

// gone reports whether the drive is not there, as opposed to being in trouble.
func (h hostStatus) gone() bool {
	return h == hostNoConnect || h == hostBadTarget || h == hostFailFast
}

// errTooLate is the cause of a command whose timeout has passed.
var errTooLate = errors.New("no answer in time")

// result makes the error of what the kernel has filled in; see the table of the
// package comment. offline says that the kernel has given the drive up.
func (x *exchange) result(cmd *mmc.Command, offline func() bool) error {
	h := &x.hdr
	cmd.Resid = min(max(int(h.resid), 0), len(cmd.Data))
	host, status := hostStatus(h.host), h.status&statusMask
	driver := h.driver &^ driverAdvice
	sense := mmc.Sense(x.sense[:min(int(h.senseWritten), maxSense)])
	answered := host == hostOK || host == hostMediumError || host == hostTargetFailure
	if answered && sense.Valid() && (status == statusCheckCondition || driver == driverSense && sense.Key() != mmc.KeyNoSense) {
		return mmc.NewSenseError(cmd.CDB, sense)
	}
	if host == hostOK && driver&^driverSense == 0 && (status == statusGood || status == statusConditionMet) {
		return nil
	}
	te := &mmc.TransportError{CDB: append([]byte(nil), cmd.CDB...), Host: uint32(h.host), Driver: uint32(h.driver), Status: h.status}
	cmd.Resid = len(cmd.Data)
	switch {
	case host == hostTimeOut:
		te.Err = fmt.Errorf("%w (%v)", errTooLate, cmd.Timeout)
	case host != hostOK:
		te.Err = errors.New(host.String())
	case status == mmc.StatusBusy, status == mmc.StatusTaskSetFull, status == mmc.StatusReservationConflict:
		te.Unsent = true
	case status == statusCheckCondition:
		te.Err = errors.New("the drive has failed the command without saying why")
	}
	te.Gone = host.gone() || host != hostOK && offline()
	return te
}

// refused makes the error of a system call that failed.
func (t *Transport) refused(cmd *mmc.Command, errno unix.Errno) error {
	cmd.Resid = len(cmd.Data)
	te := &mmc.TransportError{CDB: append([]byte(nil), cmd.CDB...), Err: errno}
	switch errno {
	case unix.ENODEV, unix.ENXIO, unix.ESHUTDOWN:
		te.Gone = true
	case unix.EPERM, unix.EACCES:
		te.Err = &PermissionError{Path: t.path, Op: cmd.Opcode(), ReadOnly: t.readOnly, Err: errno}
	default:
		te.Gone = t.offline()
	}
	// sr checks everything before it sends the command and then waits for its
	// end whatever happens; sg may give up waiting.
	te.Unsent = !t.generic || errno == unix.EPERM || errno == unix.EACCES || errno == unix.EINVAL || errno == unix.ENOMEM
	return te
}
