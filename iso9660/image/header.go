package image

import (
	"crypto/md5"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
)

// Header is the outer shape of an image: what [Stream] has to know beside the
// tree and the files. It is plain data, to be kept where the image may have to
// be produced again.
type Header struct {
	// Start is the address of the first block.
	Start uint32 `json:"start"`
	// TreeBlocks is the number of blocks before the first block of data.
	TreeBlocks uint32 `json:"treeBlocks"`
	// DataBlocks is the number of blocks of new file content.
	DataBlocks uint32 `json:"dataBlocks"`
	// Checksums says whether an MD5 array and session tag follow the data.
	Checksums bool `json:"checksums"`
	// SHA256 says whether an array of SHA-256s stands before them.
	SHA256 bool `json:"sha256,omitempty"`
	// Digests is the number of files with a checksum, the highest index.
	Digests uint32 `json:"digests"`
	// Blocks is the total length, padding included.
	Blocks uint32 `json:"blocks"`
}

// sessionDigests are the entries of the checksum array that are not of a file.
const sessionDigests = 2

// dataEnd is the address of the block behind the data, where the array of
// SHA-256s is.
func (h Header) dataEnd() uint32 { return h.Start + h.TreeBlocks + h.DataBlocks }

// array is the address of the array of MD5s.
func (h Header) array() uint32 { return h.dataEnd() + h.sha256Blocks() }

func (h Header) sha256Blocks() uint32 {
	if !h.SHA256 {
		return 0
	}
	return checksum.SHA256Blocks(h.Digests + sessionDigests)
}

func (h Header) arrayBlocks() uint32 { return checksum.ArrayBlocks(h.Digests + sessionDigests) }

// ChecksumBlocks is the number of blocks of the arrays and the session tag.
func (h Header) ChecksumBlocks() int64 {
	if !h.Checksums {
		return 0
	}
	return int64(h.sha256Blocks()) + int64(h.arrayBlocks()) + 1
}

// sessionTag is the address of the session tag.
func (h Header) sessionTag() uint32 { return h.array() + h.arrayBlocks() }

// dataBlock is the address of the first block of data.
func (l *Layout) dataBlock() uint32 { return l.header.Start + l.header.TreeBlocks }

// emptyBlock is the address recorded for what has no content: the last block of
// the system area. It is a block of the session, as readers demand, holds zeros,
// and no file will ever begin there, which matters to those, genisoimage among
// them, that tell files apart by address.
func (l *Layout) emptyBlock() uint32 { return l.header.Start + iso9660.FirstDescriptor - 1 }

// area is the value of the root's attribute isofs.ca. Its length does not
// depend on the addresses.
func (l *Layout) area() []byte {
	return checksum.AppendArea(nil, checksum.Area{
		Start: l.header.Start, Array: l.header.array(), Count: l.header.Digests + sessionDigests,
		Size: md5.Size, Type: checksum.MD5Type,
	})
}

// sha256Area is what the root says of the array of SHA-256s.
func (l *Layout) sha256Area() checksum.SHA256Area {
	return checksum.SHA256Area{
		Start: l.header.Start, Data: l.dataBlock(), Array: l.header.dataEnd(), Count: l.header.Digests + sessionDigests,
	}
}
