package mmc

// Inquiry is the reply of INQUIRY, standard data (SPC-3 6.4).
type Inquiry []byte

// InquiryLen is the length of the standard data that every drive returns.
const InquiryLen = 36

// DeviceTypeMM is the peripheral device type of multimedia drives.
const DeviceTypeMM = 0x05

// NewInquiry makes standard data of an optical drive with removable medium.
// Names longer than their fields are cut.
func NewInquiry(vendor, product, revision string) Inquiry {
	q := make(Inquiry, InquiryLen)
	q[0] = DeviceTypeMM
	q[1] = 0x80 // RMB
	q[2] = 0x05 // SPC-3
	q[3] = 0x02 // response data format
	q[4] = InquiryLen - 5
	pad := func(b []byte, s string) {
		for i := copy(b, s); i < len(b); i++ {
			b[i] = ' '
		}
	}
	pad(q[8:16], vendor)
	pad(q[16:32], product)
	pad(q[32:36], revision)
	return q
}

func parseInquiry(b []byte) (Inquiry, error) {
	if len(b) < InquiryLen {
		return nil, newResponseError(OpInquiry, b, "%d bytes instead of at least %d", len(b), InquiryLen)
	}
	return Inquiry(b), nil
}

// DeviceType returns the peripheral device type.
func (q Inquiry) DeviceType() uint8 { return u8(q, 0) & 0x1f }

// Removable reports the RMB bit.
func (q Inquiry) Removable() bool { return u8(q, 1)&0x80 != 0 }

// Vendor returns the VENDOR IDENTIFICATION without padding.
func (q Inquiry) Vendor() string { return q.text(8, 16) }

// Product returns the PRODUCT IDENTIFICATION without padding.
func (q Inquiry) Product() string { return q.text(16, 32) }

// Revision returns the PRODUCT REVISION LEVEL without padding.
func (q Inquiry) Revision() string { return q.text(32, 36) }

// text returns printable ASCII only: the names end up on terminals.
func (q Inquiry) text(from, to int) string {
	if len(q) < to {
		return ""
	}
	return printable(q[from:to])
}
