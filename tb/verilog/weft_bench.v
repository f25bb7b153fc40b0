// Testbench in plain Verilog: reads the identification registers of module weft over AXI4-Lite.
`timescale 1ns / 1ps

module weft_bench;
    localparam ID = 12'h000, CAP_ARRAY = 12'h008, CONTROL = 12'h020, UNMAPPED = 12'hFFC;
    localparam MAGIC = 32'h54464557;
    localparam OKAY = 2'b00, SLVERR = 2'b10;

    reg clk = 0, rst = 1;
    reg [11:0] araddr = 0;
    reg arvalid = 0, rready = 0;
    wire arready, rvalid;
    wire [31:0] rdata;
    wire [1:0] rresp;
    wire m_axi_arvalid, m_axi_awvalid, m_axi_wvalid, irq;
    integer failures = 0;

    weft dut (
        .clk(clk), .rst(rst), .irq(irq),
        .s_axil_araddr(araddr), .s_axil_arprot(3'b0), .s_axil_arvalid(arvalid),
        .s_axil_arready(arready), .s_axil_rdata(rdata), .s_axil_rresp(rresp),
        .s_axil_rvalid(rvalid), .s_axil_rready(rready),
        .s_axil_awaddr(12'b0), .s_axil_awprot(3'b0), .s_axil_awvalid(1'b0),
        .s_axil_wdata(32'b0), .s_axil_wstrb(4'b0), .s_axil_wvalid(1'b0), .s_axil_bready(1'b0),
        .m_axi_arvalid(m_axi_arvalid), .m_axi_arready(1'b0), .m_axi_rvalid(1'b0),
        .m_axi_awvalid(m_axi_awvalid), .m_axi_awready(1'b0),
        .m_axi_wvalid(m_axi_wvalid), .m_axi_wready(1'b0), .m_axi_bvalid(1'b0)
    );

    always #5 clk = ~clk;

    task check(input [11:0] address, input [31:0] mask, input [31:0] word, input [1:0] response);
        begin
            @(negedge clk) araddr = address;
            arvalid = 1;
            rready = 1;
            while (!arready) @(negedge clk);
            @(negedge clk) arvalid = 0;
            while (!rvalid) @(negedge clk);
            // !== also catches X
            if ((rdata & mask) !== word || rresp !== response) begin
                $display("register %h: expected %h with response %b, found %h with %b",
                         address, word, response, rdata & mask, rresp);
                failures = failures + 1;
            end
            @(negedge clk) rready = 0;
        end
    endtask

    initial begin
        repeat (3) @(negedge clk);
        rst = 0;
        check(ID, 32'hFFFFFFFF, MAGIC, OKAY);
        check(CAP_ARRAY, 32'h0000FFFF, 32'h00000808, OKAY);
        check(CONTROL, 32'hFFFFFFFF, 32'h0, OKAY);
        check(UNMAPPED, 32'hFFFFFFFF, 32'h0, SLVERR);
        if (irq !== 0 || m_axi_arvalid !== 0 || m_axi_awvalid !== 0 || m_axi_wvalid !== 0) begin
            $display("an idle accelerator drives irq or m_axi");
            failures = failures + 1;
        end
        if (failures != 0) $fatal(1, "weft_bench: %0d checks failed", failures);
        $display("weft_bench: passed");
        $finish;
    end

    initial #100000 $fatal(1, "weft_bench: no response within 10000 cycles");
endmodule
