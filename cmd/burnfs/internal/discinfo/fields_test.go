package discinfo

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The manual documents every field that is printed, and no other.
func TestFieldsAreDocumented(t *testing.T) {
	var have, documented []string
	walk(reflect.TypeFor[Info](), "", &have)
	for _, f := range Fields() {
		documented = append(documented, strings.Split(f.Name, ", ")...)
	}
	for _, name := range have {
		if !slices.Contains(documented, name) && name != "drive" {
			t.Errorf("%s is not documented", name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(have, name) {
			t.Errorf("%s is documented and not printed", name)
		}
	}
}

func walk(typ reflect.Type, prefix string, names *[]string) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			continue
		}
		*names = append(*names, prefix+name)
		walk(f.Type, prefix+name+".", names)
	}
}
