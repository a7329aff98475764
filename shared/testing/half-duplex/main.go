// A proxy of Go's own library, in the two ways in which OpenFaaS' gateway and of-watchdog pass a call on: net/http's
// server in front, its client behind. What they do with a request whose answer has begun is that library's doing.
//
// go run main.go reverse|copy UPSTREAM: says the port that it listens on, on one line.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	kind := os.Args[1]
	upstream, err := url.Parse(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	handler := map[string]http.Handler{
		"reverse": httputil.NewSingleHostReverseProxy(upstream),
		"copy":    http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pass(w, r, upstream) }),
	}[kind]
	if handler == nil {
		log.Fatalf("reverse or copy, not %s", kind)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, handler))
}

func pass(w http.ResponseWriter, r *http.Request, upstream *url.URL) {
	request := r.Clone(r.Context())
	request.URL.Scheme, request.URL.Host = upstream.Scheme, upstream.Host
	request.Host, request.RequestURI = upstream.Host, ""
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	if _, err := io.Copy(w, answer.Body); err != nil {
		log.Print(err)
	}
}
