package recorddisk

import (
	"maps"
	"slices"
)

// pageSize is the unit in which content is kept and copied, in bytes.
const pageSize = 4096

// content is the bytes of a file. What has no page reads as zeros and is a hole.
type content struct {
	Size  int64
	Pages map[int64][]byte // by offset / pageSize; a page is replaced, never written to
}

func newContent() *content { return &content{Pages: make(map[int64][]byte)} }

func (c *content) clone() *content {
	return &content{Size: c.Size, Pages: maps.Clone(c.Pages)}
}

func (c *content) readAt(p []byte, off int64) int {
	n := int(max(0, min(int64(len(p)), c.Size-off)))
	p = p[:n]
	for at := 0; at < n; {
		pos := off + int64(at)
		in := int(pos % pageSize)
		length := min(n-at, pageSize-in)
		if page := c.Pages[pos/pageSize]; page != nil {
			copy(p[at:at+length], page[in:])
		} else {
			clear(p[at : at+length])
		}
		at += length
	}
	return n
}

// page returns a copy of a page that may be written to until it is put back.
func (c *content) page(n int64) []byte {
	if old := c.Pages[n]; old != nil {
		return slices.Clone(old)
	}
	return make([]byte, pageSize)
}

func (c *content) writeAt(p []byte, off int64) {
	for at := 0; at < len(p); {
		pos := off + int64(at)
		in := int(pos % pageSize)
		length := min(len(p)-at, pageSize-in)
		page := c.page(pos / pageSize)
		copy(page[in:], p[at:at+length])
		c.Pages[pos/pageSize] = page
		at += length
	}
	c.Size = max(c.Size, off+int64(len(p)))
}

func (c *content) truncate(size int64) {
	if size < c.Size {
		c.punch(size, (c.Size+pageSize-1)/pageSize*pageSize-size)
	}
	c.Size = size
}

func (c *content) punch(off, n int64) {
	end := off + n
	for k := range maps.Clone(c.Pages) {
		lo, hi := max(off, k*pageSize), min(end, (k+1)*pageSize)
		switch {
		case lo >= hi:
		case hi-lo == pageSize:
			delete(c.Pages, k)
		default:
			page := c.page(k)
			clear(page[lo-k*pageSize : hi-k*pageSize])
			c.Pages[k] = page
		}
	}
}
