package aaip

// ValidACLs tells whether the access control lists of what has been added, if there are
// any, are of the form that Attrs translates. It says nothing where Attrs finds that the
// attributes themselves are broken.
func (d *Decoder) ValidACLs() bool {
	for stream := d.stream; len(stream) > 0; {
		var name, value []byte
		var ok bool
		if name, stream, ok = component(stream); ok {
			value, stream, ok = component(stream)
		}
		if !ok {
			return true
		}
		if len(name) > 0 {
			continue
		}
		if _, _, ok := decodeACLs(value); !ok {
			return false
		}
	}
	return true
}
