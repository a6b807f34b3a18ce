package mmc

// EventClass selects what GET EVENT STATUS NOTIFICATION tells (MMC-5 6.7).
type EventClass uint8

// Notification classes, as bit numbers of the request.
const (
	EventNone        EventClass = 0
	EventOperational EventClass = 1
	EventPower       EventClass = 2
	EventExternal    EventClass = 3
	EventMedia       EventClass = 4
	EventMultiHost   EventClass = 5
	EventBusy        EventClass = 6
)

// MediaEvent is what happened to the medium (MMC-5 6.7).
type MediaEvent uint8

// Media events.
const (
	MediaNoChange       MediaEvent = 0
	MediaEjectRequest   MediaEvent = 1
	MediaNew            MediaEvent = 2
	MediaRemoval        MediaEvent = 3
	MediaChanged        MediaEvent = 4
	MediaFormatDone     MediaEvent = 5
	MediaFormatRestarts MediaEvent = 6
)

// EventStatus is the reply of GET EVENT STATUS NOTIFICATION (MMC-5 6.7).
type EventStatus []byte

const (
	eventHeader = 4
	eventLen    = 8
)

// NewMediaEvent makes a reply of the media class.
func NewMediaEvent(e MediaEvent, present, trayOpen bool) EventStatus {
	s := make(EventStatus, eventLen)
	put16(s, 0, eventLen-2)
	s[2] = uint8(EventMedia)
	s[3] = 1 << EventMedia
	s[4] = uint8(e)
	putBit(s, 5, 0x02, present)
	putBit(s, 5, 0x01, trayOpen)
	return s
}

// NewNoEvent makes a reply for classes the drive does not support: only a
// header with the NEA bit, and the mask of supported classes.
func NewNoEvent() EventStatus { return EventStatus{0, 2, 0x80, 1 << EventMedia} }

func parseEventStatus(b []byte) (EventStatus, error) {
	if len(b) < eventHeader {
		return nil, newResponseError(OpGetEventStatus, b, "%d bytes instead of at least %d", len(b), eventHeader)
	}
	n := int(u16(b, 0)) + 2
	if n < eventHeader {
		return nil, newResponseError(OpGetEventStatus, b, "event data length %d", n-2)
	}
	return EventStatus(b[:min(n, len(b))]), nil
}

// Available reports whether the reply holds an event descriptor.
func (s EventStatus) Available() bool { return u8(s, 2)&0x80 == 0 && len(s) >= eventLen }

// Class returns the class of the event.
func (s EventStatus) Class() EventClass { return EventClass(u8(s, 2) & 7) }

// MediaEvent returns the event of the media class.
func (s EventStatus) MediaEvent() MediaEvent { return MediaEvent(u8(s, 4) & 0xf) }

// MediaPresent reports whether a medium is in the drive.
func (s EventStatus) MediaPresent() bool { return u8(s, 5)&0x02 != 0 }

// TrayOpen reports whether the tray is open.
func (s EventStatus) TrayOpen() bool { return u8(s, 5)&0x01 != 0 }
