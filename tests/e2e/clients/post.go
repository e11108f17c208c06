// Posts as Go's net/http does: `go run post.go URL`, then a line `FRAMING FILE` on standard input for each request. Prints
// `STATUS BODY` for each answer. One client posts all.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	transport := &http.Transport{ExpectContinueTimeout: 20 * time.Second}
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	var framing, file string
	for {
		if _, err := fmt.Scan(&framing, &file); err == io.EOF {
			return
		}
		content, err := os.ReadFile(file)
		check(err)
		var body io.Reader = bytes.NewReader(content)
		if framing == "chunked" {
			body = struct{ io.Reader }{body} // a reader of unknown length
		}
		request, err := http.NewRequest("POST", os.Args[1], body)
		check(err)
		request.Header.Set("Content-Type", "application/json")
		if framing == "expect" {
			request.Header.Set("Expect", "100-continue")
		}
		response, err := client.Do(request)
		check(err)
		answer, err := io.ReadAll(response.Body)
		check(err)
		check(response.Body.Close())
		fmt.Println(response.StatusCode, string(answer))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
