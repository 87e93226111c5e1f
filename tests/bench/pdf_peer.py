"""The same certificate by reportlab or WeasyPrint. Runs in the peers' environment, knows nothing of us.

Usage: ``pdf_peer.py reportlab|weasyprint FILE COUNT``; the file holds what each page says, one JSON a line, and first what
is the same on all: the border and seal as SVG. Neither signs; reportlab makes neither PDF/A nor an attachment.
"""

from __future__ import annotations

import base64
import html
import io
import json
import os
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

FONT = "/usr/share/fonts/truetype/hanazono/HanaMinA.ttf"  # reportlab embeds TrueType only


def main(peer: str, file: str, count: str) -> None:
    """Draw; print what it took."""
    common, *pages = [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]
    draw = {"reportlab": _reportlab, "weasyprint": _weasyprint}[peer](common["underlay"])
    for page in pages[:3]:
        draw(page)  # fonts are read, caches warm
    began, busy = time.perf_counter(), time.process_time()
    made = [draw(page) for page in pages[3 : 3 + int(count)]]
    print(json.dumps({
        "cpu": time.process_time() - busy, "seconds": time.perf_counter() - began, "pages": len(made),
        "kilobytes": statistics.median(map(len, made)) / 1000, "megabytes": _peak(),
        "name": f"{peer} {version(peer)}",
    }))  # fmt: skip


def _peak() -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _reportlab(_: str) -> Any:
    """As in its user guide: a canvas, a TrueType font, a paragraph, a QR code; the border as one rounded frame."""
    from reportlab.graphics import renderPDF
    from reportlab.graphics.barcode.qr import QrCodeWidget
    from reportlab.graphics.shapes import Drawing
    from reportlab.lib.colors import HexColor
    from reportlab.lib.pagesizes import A4, landscape
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Paragraph

    pdfmetrics.registerFont(TTFont("Mincho", FONT))
    teal, quiet, seal = HexColor("#0f5c63"), HexColor("#5a6b73"), HexColor("#c8371f")
    style = ParagraphStyle("body", fontName="Mincho", fontSize=16.5, leading=31, firstLineIndent=33, wordWrap="CJK")

    def draw(page: dict[str, Any]) -> bytes:
        out = io.BytesIO()
        canvas = Canvas(out, pagesize=landscape(A4))
        canvas.setTitle(page["title"])
        canvas.setStrokeColor(teal)
        for inset in (6.4, 7.4, 14.6):
            canvas.rect(inset * mm, inset * mm, (297 - 2 * inset) * mm, (210 - 2 * inset) * mm)
        canvas.setStrokeColor(seal)
        canvas.circle(216 * mm, 47 * mm, 20 * mm)

        def centred(text: str, size: float, top: float, colour: Any = teal) -> None:
            canvas.setFillColor(colour)
            canvas.setFont("Mincho", size)
            canvas.drawCentredString(148.5 * mm, (210 - top) * mm, text)

        centred("专业技术人员继续教育", 11.5, 30, quiet)
        centred("专业科目学时证书", 34, 46)
        centred(f"{page['holder']} 同志", 46, 78, HexColor("#1d2733"))
        centred(f"证件号码  {page['id_masked']}", 11.5, 92, quiet)
        body = Paragraph(html.escape(_sentence(page)) + "<br/>特发此证。", style)
        _, height = body.wrapOn(canvas, 212 * mm, 60 * mm)
        body.drawOn(canvas, 42.5 * mm, (210 - 100) * mm - height)
        code = QrCodeWidget(page["verify_url"], barLevel="M")
        x1, y1, x2, y2 = code.getBounds()
        scaled = Drawing(31 * mm, 31 * mm, transform=[31 * mm / (x2 - x1), 0, 0, 31 * mm / (y2 - y1), 0, 0])
        scaled.add(code)
        renderPDF.draw(scaled, canvas, 39 * mm, 33 * mm)
        canvas.setFillColor(HexColor("#1d2733"))
        canvas.setFont("Mincho", 8.5)
        lines = (
            (42.5, 183, f"编号 {page['number']}"), (42.5, 188, "扫码验证真伪"), (73, 166, f"备案编号 {page['filing_number']}"),
            (73, 171, f"职称系列 {page['series']}"), (73, 176, "学时类别 专业科目"),
        )  # fmt: skip
        for x, top, text in lines:
            canvas.drawString(x * mm, (210 - top) * mm, text)
        canvas.setFont("Mincho", 15.5)
        canvas.drawCentredString(216 * mm, 35 * mm, page["organiser"])
        canvas.drawCentredString(216 * mm, 28 * mm, page["issued"])
        canvas.showPage()
        canvas.save()
        return out.getvalue()

    return draw


def _weasyprint(underlay: str) -> Any:
    """As in its documentation: HTML and CSS, PDF/A-3b, the credential attached."""
    from weasyprint import CSS, HTML, Attachment
    from weasyprint.text.fonts import FontConfiguration

    def uri(svg: str) -> str:
        return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()

    fonts = FontConfiguration()
    sheet = CSS(
        string=f"""
        @page {{ size: 297mm 210mm; margin: 0; background: url({uri(underlay)}) 0 0 / 297mm 210mm no-repeat }}
        body {{ font-family: "Noto Serif CJK SC"; margin: 0; color: #1d2733 }}
        div, h1, p, img {{ position: absolute; margin: 0 }}
        .c {{ left: 0; width: 297mm; text-align: center }}
        h1 {{ font-weight: 400; font-size: 34pt; letter-spacing: .2em; color: #0f5c63; top: 34mm }}
        .q {{ color: #5a6b73 }}
        p {{ left: 42.5mm; width: 212mm; top: 100mm; font-size: 16.5pt; line-height: 1.9; text-indent: 2em }}
        .s {{ font-size: 8.5pt }}
        """,
        font_config=fonts,
    )

    def draw(page: dict[str, Any]) -> bytes:
        told = {name: html.escape(str(value)) for name, value in page.items()}
        text = f"""<!doctype html><html lang="zh"><title>{told["title"]}</title>
        <div class="c q" style="top:26mm;font-size:11.5pt;letter-spacing:.55em">专业技术人员继续教育</div>
        <h1 class="c">专业科目学时证书</h1>
        <div class="c" style="top:58mm;font-size:46pt">{told["holder"]}<span style="font-size:15pt"> 同志</span></div>
        <div class="c" style="top:87mm;font-size:11.5pt"><span class="q">证件号码</span> {told["id_masked"]}</div>
        <p>{html.escape(_sentence(page))}<br>特发此证。</p>
        <img style="left:39mm;top:146mm;width:31mm" src="{uri(page["qr"])}" alt="{told["verify_url"]}">
        <div class="s" style="left:42.5mm;top:178mm">编号 {told["number"]}<br>扫码验证真伪</div>
        <div class="s" style="left:73mm;top:160mm">备案编号 {told["filing_number"]}<br>职称系列 {told["series"]}<br>学时类别 专业科目</div>
        <div style="left:166mm;width:100mm;top:170mm;text-align:center;font-size:15.5pt">{told["organiser"]}<br>{told["issued"]}</div>
        """
        attached = Attachment(string=page["credential"], name="credential.jwt", relationship="Data")
        made = HTML(string=text).write_pdf(
            stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/a-3b", attachments=[attached]
        )
        return bytes(made)

    return draw


def _sentence(page: dict[str, Any]) -> str:
    return (
        f"参加由{page['organiser']}主办、{page['implementer']}承办的“{page['programme']}”培训，于{page['until']}"
        f"完成规定学习内容，考核合格，计专业科目{page['hours']}学时。"
    )


if __name__ == "__main__":
    os.environ.setdefault("SOURCE_DATE_EPOCH", "1700000000")
    main(*sys.argv[1:])
