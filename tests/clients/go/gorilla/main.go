// Command gorilla opens a URL with gorilla/websocket and prints what it gets as one JSON line.
// Standard input is sent as binary messages, line by line.
//
// usage: gorilla URL TOKEN [HEADER=VALUE]…
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"

	"github.com/gorilla/websocket"
)

type result struct {
	Status   int      `json:"status"`
	Messages []string `json:"messages"`
	Binary   bool     `json:"binary"`
	Code     int      `json:"code"`
	Reason   string   `json:"reason"`
}

func main() {
	header := http.Header{"Authorization": {"Bearer " + os.Args[2]}}
	for _, pair := range os.Args[3:] {
		name, value, _ := strings.Cut(pair, "=")
		header.Set(name, value)
	}
	got := talk(os.Args[1], header)
	if err := json.NewEncoder(os.Stdout).Encode(got); err != nil {
		os.Exit(1)
	}
}

func talk(url string, header http.Header) result {
	connection, answer, err := websocket.DefaultDialer.Dial(url, header)
	if err != nil {
		got := result{Reason: err.Error()}
		if answer != nil {
			got.Status = answer.StatusCode
		}
		return got
	}
	defer connection.Close()
	go send(connection)
	got := result{Status: answer.StatusCode, Binary: true}
	for {
		kind, data, err := connection.ReadMessage()
		if err != nil {
			got.Code, got.Reason = websocket.CloseAbnormalClosure, err.Error()
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				got.Code, got.Reason = closed.Code, closed.Text
			}
			return got
		}
		got.Binary = got.Binary && kind == websocket.BinaryMessage
		got.Messages = append(got.Messages, string(data))
	}
}

func send(connection *websocket.Conn) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		line := append(lines.Bytes(), '\n')
		if connection.WriteMessage(websocket.BinaryMessage, line) != nil {
			return
		}
	}
}
